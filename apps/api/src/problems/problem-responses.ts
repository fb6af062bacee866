import { STATUS_CODES } from 'node:http';
import { type AnswerHeader, answerHeaders } from '../description/answer-headers.ts';

/** Every route below `/api/v1` can answer these. */
const ALWAYS = [400, 401, 403, 429, 500, 503] as const;

/** And every one that takes a body these: too large, not to be kept as it is, or not what was sent with this key before. */
const WITH_BODY = [409, 413, 415, 422] as const;

/**
 * The error answers of a route, for its schema.
 * @param statuses beside those that every route has; with 415 it takes a body
 */
export function problems(...statuses: readonly number[]): Record<number, object> {
  const body = statuses.includes(415) ? WITH_BODY : [];
  const all = new Set([...statuses, ...body, ...ALWAYS]);
  return Object.fromEntries([...all].sort().map((status) => [status, problem(status)]));
}

function problem(status: number): object {
  return {
    description: STATUS_CODES[status] ?? 'Error',
    content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
  };
}

/**
 * A good answer whose body is the schema with this name.
 * @param headers what it has beside the headers that hold for all calls of a kind
 */
export function answer(description: string, schema: string, ...headers: readonly AnswerHeader[]): object {
  return {
    description,
    ...(headers.length > 0 ? { headers: answerHeaders(headers) } : {}),
    content: { 'application/json': { schema: { $ref: `${schema}#` } } },
  };
}
