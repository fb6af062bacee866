import { inspect } from 'node:util';
import { type StoredError, toStoredError } from '@jetbeat/core';

const MAX_CAUSES = 3;

/** The stored form of whatever a handler threw, its causes in the message ("fetch failed" alone helps nobody). */
export function describeThrown(thrown: unknown): StoredError {
  try {
    if (!(thrown instanceof Error)) {
      return toStoredError(
        new NotAnError(`the handler threw something that is no error: ${inspect(thrown, { depth: 2 })}`),
      );
    }
    const stored = toStoredError(thrown);
    const causes = causesOf(thrown);
    return causes.length === 0 ? stored : toStored(stored, [stored.message, ...causes].join(': '));
  } catch {
    // A message that is no text, a getter that throws: the outcome must not depend on it.
    return { name: 'Error', message: 'the handler threw something that cannot be described' };
  }
}

/** Puts a sentence before the message of a stored error. */
export function toStored(error: StoredError, message: string): StoredError {
  return { ...error, message: message.slice(0, 4_096) };
}

class NotAnError extends Error {
  override readonly name = 'NotAnError';
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    causes.push(cause.message || (typeof code === 'string' ? code : cause.name));
  }
  return causes;
}
