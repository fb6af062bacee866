import { JetbeatError } from '@jetbeat/core';

/** A handler returned what JSON cannot carry. */
export class ResultNotJsonError extends JetbeatError {
  constructor(why: string, options?: { cause?: unknown }) {
    super(
      'result_not_json',
      `the handler's result cannot be written as JSON: ${why}; return plain data or nothing`,
      options,
    );
  }
}

/**
 * The result as plain data that nobody else holds: a handler that runs on cannot change it, and writing it later
 * cannot fail.
 * @throws ResultNotJsonError for a BigInt, a cycle, a function
 */
export function snapshot(result: unknown): unknown {
  if (result === undefined || result === null || typeof result === 'string' || typeof result === 'boolean')
    return result;
  let text: string | undefined;
  try {
    text = JSON.stringify(result);
  } catch (cause) {
    throw new ResultNotJsonError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  if (text === undefined) throw new ResultNotJsonError(`it is a ${typeof result}`);
  return JSON.parse(text);
}
