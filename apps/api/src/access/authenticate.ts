import type { FastifyInstance } from 'fastify';
import { ApiError } from '../problems/problem.ts';
import { mayDo } from './api-key.ts';
import type { Caller } from './caller.ts';
import type { Callers } from './callers.ts';
import type { KeyUses } from './note-key-use.ts';

/** Lets in who sends a known key with the role that the route names. */
export function authenticate(
  app: FastifyInstance,
  { callers, uses }: { readonly callers: Callers; readonly uses: KeyUses },
): void {
  // There is none before the key was checked: a handler that reads it outside fails instead of acting for nobody.
  app.decorateRequest<Caller | null>('caller', null);
  app.addHook('onRequest', async (request) => {
    const caller = await callers.of(request);
    const needs = request.routeOptions.config.role ?? 'admin';
    if (!mayDo(caller.role, needs))
      throw new ApiError('forbidden', `this needs the role ${needs}; the key has ${caller.role}`);
    request.caller = caller;
    if (caller.kind === 'key') uses.note(caller.id);
  });
}
