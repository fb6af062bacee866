import { describeIssues } from '@jetbeat/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';

/** So many fields are named. */
const MAX_ISSUES = 8;
/** Their bodies are nobody's to read (RFC 9110 §9.3.1). */
const UNREAD: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Refuses what a body says where no route reads one, as in a `DELETE`: whoever sends it must not believe that it was looked at. An empty
 * object says nothing.
 */
export function refuseBodies(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { body } = (route.schema ?? {}) as { body?: unknown };
    const methods = [route.method].flat();
    if (body !== undefined || methods.every((method) => UNREAD.has(method))) return;
    route.preValidation = [
      ...[route.preValidation ?? []].flat(),
      (request, _reply, done) => {
        if (saysSomething(request.body)) throw noBody(request);
        done();
      },
    ];
  });
}

function saysSomething(body: unknown): boolean {
  if (body === undefined) return false;
  return typeof body !== 'object' || body === null || Array.isArray(body) || Object.keys(body).length > 0;
}

function noBody({ method, body, routeOptions }: FastifyRequest): ApiError {
  const hasVersions = routeOptions.config.headers?.includes('if-match') ?? false;
  const elsewhere: Readonly<Record<string, string | undefined>> = {
    reason: 'the header Jetbeat-Reason',
    ...(hasVersions ? { version: 'the header If-Match' } : {}),
  };
  const fields = typeof body === 'object' && !Array.isArray(body) ? Object.keys(body ?? {}) : [];
  const issues = fields.slice(0, MAX_ISSUES).map((field) => {
    const place = Object.hasOwn(elsewhere, field) ? elsewhere[field] : undefined;
    return {
      pointer: `/${field.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`,
      code: 'unknown_field',
      message: `a ${method} has no body here: ${place ? `this goes into ${place}` : 'leave it out'}`,
      ...(place ? { suggestion: place } : {}),
    };
  });
  const whole = { pointer: '', code: 'unknown_field', message: `a ${method} has no body here: leave it out` };
  const all = issues.length > 0 ? issues : [whole];
  return new ApiError('invalid_request', describeIssues(all), { issues: all });
}
