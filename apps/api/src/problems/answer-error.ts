import type { FastifyReply, FastifyRequest } from 'fastify';
import { hidePayloads } from '../access/hide-payloads.ts';
import { traceIdOf } from '../watching/trace.ts';
import { ApiError, problemBody } from './problem.ts';
import { toApiError } from './to-api-error.ts';

/** Statuses whose answers always say when to come again, which the description tells. */
const PASSING: ReadonlySet<number> = new Set([429, 503]);
/** Where nobody knows better, seconds. */
const RETRY_LATER = 5;

/**
 * Answers an error, of ours or of the framework, as problem details.
 * @param count counts what it is
 */
export function answerError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  count: (error: ApiError) => void,
): FastifyReply {
  const { destroyed, complete } = request.raw;
  const error =
    destroyed && !complete
      ? new ApiError('malformed_request', 'the connection ended before the request was whole')
      : toApiError(thrown, request.routeOptions.bodyLimit);
  count(error);
  const body = problemBody(error, { path: pathOf(request), traceId: traceIdOf(request.id) });
  if (error.code === 'internal_error') request.log.error({ err: thrown }, 'a request failed');
  else
    request.log.info(
      { method: request.method, path: body.instance, code: error.code },
      'a request was refused',
    );
  const { retryAfter = PASSING.has(body.status) ? RETRY_LATER : undefined } = error;
  if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
  if (body.status === 401) void reply.header('www-authenticate', 'Bearer realm="jetbeat"');
  // What somebody else has made of a schedule stands in some of them.
  const shown = request.caller?.payloads === false ? hidePayloads(body) : body;
  return reply.status(body.status).type('application/problem+json').send(JSON.stringify(shown));
}

/** The path that was asked for, without its query. */
export function pathOf(request: FastifyRequest): string {
  return (request.url.split('?')[0] ?? '').slice(0, 512);
}
