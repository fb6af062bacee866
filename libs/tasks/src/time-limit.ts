import { parseDuration } from '@jetbeat/core';

/** A signal with a time limit of its own. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Leaves no timer and no listener behind. */
  readonly clear: () => void;
}

/** Aborts with `outside`, for its reason, or after the duration. */
export function timeLimit(outside: AbortSignal, duration: string): TimeLimit {
  const controller = new AbortController();
  const abort = () => controller.abort(outside.reason);
  const timer = setTimeout(() => controller.abort(), Math.min(parseDuration(duration), 2 ** 31 - 1));
  if (outside.aborted) abort();
  outside.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      outside.removeEventListener('abort', abort);
    },
  };
}
