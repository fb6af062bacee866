import { STATUS_CODES } from 'node:http';

/** Every route below `/api/v1` can answer these. */
const ALWAYS = [401, 403, 500, 503] as const;

/** The error answers of a route, for its schema. */
export function problems(...statuses: readonly number[]): Record<number, object> {
  return Object.fromEntries([...statuses, ...ALWAYS].sort().map((status) => [status, problem(status)]));
}

function problem(status: number): object {
  return {
    description: STATUS_CODES[status] ?? 'Error',
    content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
  };
}

/** A good answer whose body is the schema with this name. */
export function answer(description: string, schema: string): object {
  return { description, content: { 'application/json': { schema: { $ref: `${schema}#` } } } };
}
