import type { Reason, StoredError } from '@jetbeat/core';
import type { LiveJobEvent } from '@jetbeat/core/http';

/** What of a job an event may say only in part. */
type CutField = NonNullable<LiveJobEvent['job']['cut']>[number];

/** A value as far as an event says it. */
interface Cut<Value> {
  readonly value: Value | undefined;
  readonly cut: readonly CutField[];
}

/** As in lists: an event is a few kilobytes at most, whatever its job holds. */
const MOST = 4_096;
const MOST_OF_TEXT = 1_024;
const MOST_OF_NAME = 128;
const NONE = { value: undefined, cut: [] } as const;

/** A result that is not too large, counted in characters of its JSON. */
export function cutResult(result: unknown): Cut<unknown> {
  if (result === undefined) return NONE;
  return JSON.stringify(result).length <= MOST ? { value: result, cut: [] } : { ...NONE, cut: ['result'] };
}

/** An error without its stack. */
export function cutError(error: StoredError | undefined): Cut<LiveJobEvent['job']['error']> {
  if (error === undefined) return NONE;
  const { name, message, code } = error;
  const value = {
    name: name.slice(0, MOST_OF_NAME),
    message: message.slice(0, MOST_OF_TEXT),
    ...(code === undefined ? {} : { code: code.slice(0, MOST_OF_NAME) }),
  };
  return { value, cut: message.length > MOST_OF_TEXT ? ['error'] : [] };
}

/** A reason, in the words of the API. */
export function cutReason(reason: Reason | undefined): Cut<LiveJobEvent['job']['reason']> {
  if (reason === undefined) return NONE;
  const { code, text } = reason;
  const value = { code: code.slice(0, MOST_OF_NAME), text: text.slice(0, MOST_OF_TEXT) };
  return { value, cut: text.length > MOST_OF_TEXT ? ['reason'] : [] };
}
