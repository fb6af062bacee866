import { SearchRefusedError } from './errors.ts';

/**
 * Runs what may be long, a few at once.
 * @param options.isShort it is likely to take no longer than a moment: it goes before what waits and is not
 */
export type SearchGate = <T>(fn: () => Promise<T>, options?: { readonly isShort: boolean }) => Promise<T>;

/** Of ten connections of an API, so that those who enqueue jobs find one. */
const AT_ONCE = 4;
/** However short they have waited: each is a request in memory. */
const MOST_WAITING = 100;
/** So many short ones go before one that is not. */
const MOST_AHEAD = 2;
/** Who waits longer is told to come again. Milliseconds. */
const WAIT_MS = 1_000;

/**
 * Makes a gate: the short first, but of every three places one is for the others; of both who came first. What begins every search is short, so
 * that under a load of long ones each has an answer, and a list does not wait until all of them have looked as far as they may.
 * @returns a function that throws SearchRefusedError `too_many_searches` where it would have to wait for too long
 */
export function createSearchGate(
  params: { readonly atOnce?: number; readonly mostWaiting?: number; readonly waitMs?: number } = {},
): SearchGate {
  const { atOnce = AT_ONCE, mostWaiting = MOST_WAITING, waitMs = WAIT_MS } = params;
  const short = new Set<() => void>();
  const others = new Set<() => void>();
  let running = 0;
  /** How many short ones have gone before others that wait. */
  let ahead = 0;

  const enter = async (isShort: boolean): Promise<void> => {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (short.size + others.size >= mostWaiting) throw tooMany();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = isShort ? short : others;
    waiting.add(resolve);
    const timer = setTimeout(() => {
      if (waiting.delete(resolve)) reject(tooMany());
    }, waitMs);
    await promise.finally(() => clearTimeout(timer));
  };
  /** Its place goes to the one that waits the longest. */
  const leave = (): void => {
    const isShort = short.size > 0 && (others.size === 0 || ahead < MOST_AHEAD);
    ahead = isShort && others.size > 0 ? ahead + 1 : 0;
    const waiting = isShort ? short : others;
    const [next] = waiting;
    if (!next) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  };
  return async (fn, { isShort } = { isShort: false }) => {
    await enter(isShort);
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
