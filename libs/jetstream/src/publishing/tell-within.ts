import type { PublishedEvent } from '@jetbeat/core';
import type { Log } from '../connection/log.ts';
import { within } from '../connection/pause.ts';

/** Telling that nobody has to wait for long. Never rejects: it resolves with why they may not have been told, if so. */
export type TellWithin<What = PublishedEvent> = (all: readonly What[]) => Promise<Error | undefined>;

/** What bounding takes. */
export interface TellWithinParams<What> {
  /** Tells of all of them, or does what is not done before somebody is told. */
  readonly tell: (all: readonly What[]) => Promise<unknown>;
  readonly log: Pick<Log, 'warn'>;
  /** What becomes of those that were not told: said when that begins, and not again before a telling has succeeded. */
  readonly otherwise?: string;
  /** Milliseconds; default 2,000: far below what the recorder gives a publish before it looks for it. */
  readonly boundMs?: number;
}

const TELL_MS = 2_000;
const OTHERWISE = 'published jobs are told of later, by reconcile';

/**
 * Bounds telling: one that takes longer is left to itself, and until it has come back nothing else is told, at once. So whoever tells goes on
 * with what else it does, and no more than one telling is kept in memory.
 */
export function tellWithin<What = PublishedEvent>(params: TellWithinParams<What>): TellWithin<What> {
  const { tell, log, otherwise = OTHERWISE, boundMs = TELL_MS } = params;
  let isHanging = false;
  /** It was said that they are not told, and none was told since. */
  let isLate = false;

  const tryOnce = async (all: readonly What[]): Promise<Error | undefined> => {
    if (isHanging) return new Error('an earlier telling has not come back from EVENTS');
    const telling = tell(all).then(
      () => ({ why: undefined }),
      (why: unknown) => ({ why: why instanceof Error ? why : new Error(String(why)) }),
    );
    const told = await within(telling, boundMs);
    if (told) return told.why;
    isHanging = true;
    void telling.then(() => {
      isHanging = false;
    });
    return new Error(`telling EVENTS has not come back within ${boundMs} ms`);
  };
  return async (all) => {
    if (all.length === 0) return undefined;
    const why = await tryOnce(all);
    if (why && !isLate) log.warn({ err: why, waiting: all.length }, otherwise);
    isLate = why !== undefined;
    return why;
  };
}
