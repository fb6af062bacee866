import { SearchRefusedError } from './errors.ts';

/** Runs what is long, a few at once. */
export type SearchGate = <T>(fn: () => Promise<T>) => Promise<T>;

/** Of ten connections of an API, so that those who enqueue jobs find one. */
const AT_ONCE = 4;
/** However short they have waited: each is a request in memory. */
const MOST_WAITING = 100;
/** Who waits longer is told to come again. Milliseconds. */
const WAIT_MS = 1_000;

/**
 * Makes a gate, first come first served.
 * @returns a function that throws SearchRefusedError `too_many_searches` where it would have to wait for too long
 */
export function createSearchGate(
  params: { readonly atOnce?: number; readonly mostWaiting?: number; readonly waitMs?: number } = {},
): SearchGate {
  const { atOnce = AT_ONCE, mostWaiting = MOST_WAITING, waitMs = WAIT_MS } = params;
  const waiting = new Set<() => void>();
  let running = 0;

  const enter = async (): Promise<void> => {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (waiting.size >= mostWaiting) throw tooMany();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.add(resolve);
    const timer = setTimeout(() => {
      if (waiting.delete(resolve)) reject(tooMany());
    }, waitMs);
    await promise.finally(() => clearTimeout(timer));
  };
  /** Its place goes to the one that waits the longest. */
  const leave = (): void => {
    const [next] = waiting;
    if (!next) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  };
  return async (fn) => {
    await enter();
    try {
      return await fn();
    } finally {
      leave();
    }
  };
}

function tooMany(): SearchRefusedError {
  return new SearchRefusedError('too_many_searches', 'too many searches go on at once: repeat later');
}
