import { askingFor } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../problems/problem.ts';
import { mayDo } from './api-key.ts';
import { type Caller, holderOf } from './caller.ts';
import type { Callers } from './callers.ts';
import type { CallerUses } from './note-key-use.ts';

/**
 * Lets in who sends a known key, or is signed in, with the role that the route names; and everybody where it names none. What is searched
 * then is of the caller's share.
 */
export function authenticate(
  app: FastifyInstance,
  { callers, uses }: { readonly callers: Callers; readonly uses: CallerUses },
): void {
  // There is none before the key was checked: a handler that reads it outside fails instead of acting for nobody.
  app.decorateRequest<Caller | null>('caller', null);
  app.addHook('onRequest', async (request) => {
    const needs = request.routeOptions.config.role ?? 'admin';
    if (needs === 'anyone') return;
    const caller = await callers.of(request);
    if (!mayDo(caller.role, needs))
      throw new ApiError('forbidden', `this needs the role ${needs}; the ${caller.kind} has ${caller.role}`);
    request.caller = caller;
    uses.note(caller);
  });
  // Between the two a body was read, and its events do not know for whom.
  app.addHook('preHandler', ({ caller }, _reply, done) => {
    if (caller) askingFor(holderOf(caller), done);
    else done();
  });
}
