import { SearchRefusedError } from '../database/errors.ts';
import { askedBy } from './asking-for.ts';

/**
 * Runs what may be long, a few at once, on behalf of whoever `askingFor` names.
 * @param options.isShort it is likely to take no longer than a moment: it goes before what waits and is not
 */
export type SearchGate = <T>(fn: () => Promise<T>, options?: { readonly isShort: boolean }) => Promise<T>;

/** Of ten connections of an API, so that those who enqueue jobs find one. */
const AT_ONCE = 4;
/** However short they have waited: each is a request in memory. */
const MOST_WAITING = 100;
/** Of them those of one holder. */
const MOST_OF_ONE = 50;
/** So many short ones go before one that is not. */
const MOST_AHEAD = 2;
/** Who waits longer is told to come again. Milliseconds. */
const WAIT_MS = 1_000;

interface Waiting {
  readonly holder: string | undefined;
  readonly go: () => void;
  readonly refuse: (error: SearchRefusedError) => void;
}

/**
 * Makes a gate: the short first, but of every three places one is for the others; of both the one of the holder of whom the fewest run, and of
 * these who came first. What begins every search is short, so that under a load of long ones each has an answer, and a list does not wait until
 * all of them have looked as far as they may; and whoever asks for many at once waits for himself. Where all places
 * are taken, the last one of the holder of whom the most wait is refused in the stead of one of whom fewer do.
 * @param params.mostOfOne so many of one holder wait; of nobody's as many as there is room for
 * @returns a function that throws SearchRefusedError `too_many_searches` where it would have to wait for too long
 */
export function createSearchGate(
  params: {
    readonly atOnce?: number;
    readonly mostWaiting?: number;
    readonly mostOfOne?: number;
    readonly waitMs?: number;
  } = {},
): SearchGate {
  const { atOnce = AT_ONCE, mostWaiting = MOST_WAITING, mostOfOne = MOST_OF_ONE, waitMs = WAIT_MS } = params;
  const short = new Set<Waiting>();
  const others = new Set<Waiting>();
  /** Holders of those that run, each once for every one. */
  const running: (string | undefined)[] = [];
  /** How many short ones have gone before others that wait. */
  let ahead = 0;

  /** Whether another of that holder may wait; makes room for it where it must and may. */
  const hasRoom = (holder: string | undefined): boolean => {
    // What is short has the better place, so the last of a holder is one that is not.
    const all = Map.groupBy([...short, ...others], (one) => one.holder);
    const own = all.get(holder)?.length ?? 0;
    if (holder !== undefined && own >= mostOfOne) return false;
    if (short.size + others.size < mostWaiting) return true;
    const most = [...all.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    const last = most.at(-1);
    // Who would have as many then has no better right to the place.
    if (!last || own + 1 >= most.length) return false;
    short.delete(last);
    others.delete(last);
    last.refuse(tooMany());
    return true;
  };
  const enter = async (holder: string | undefined, isShort: boolean): Promise<void> => {
    if (running.length < atOnce) {
      running.push(holder);
      return;
    }
    if (!hasRoom(holder)) throw tooMany();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = isShort ? short : others;
    const own = { holder, go: resolve, refuse: reject };
    waiting.add(own);
    const timer = setTimeout(() => {
      if (waiting.delete(own)) reject(tooMany());
    }, waitMs);
    await promise.finally(() => clearTimeout(timer));
  };
  const nextOf = (waiting: ReadonlySet<Waiting>): Waiting | undefined => {
    let next: { readonly one: Waiting; readonly runs: number } | undefined;
    for (const one of waiting) {
      const runs = running.filter((holder) => holder === one.holder).length;
      if (!next || runs < next.runs) next = { one, runs };
    }
    return next?.one;
  };
  /** Its place goes to one that waits. */
  const leave = (holder: string | undefined): void => {
    running.splice(running.indexOf(holder), 1);
    const isShort = short.size > 0 && (others.size === 0 || ahead < MOST_AHEAD);
    ahead = isShort && others.size > 0 ? ahead + 1 : 0;
    const waiting = isShort ? short : others;
    const next = nextOf(waiting);
    if (!next) return;
    waiting.delete(next);
    running.push(next.holder);
    next.go();
  };
  return async (fn, { isShort } = { isShort: false }) => {
    const holder = askedBy();
    await enter(holder, isShort);
    try {
      return await fn();
    } finally {
      leave(holder);
    }
  };
}

function tooMany(): SearchRefusedError {
  return new SearchRefusedError('too_many_searches', 'too many searches go on at once: repeat later');
}
