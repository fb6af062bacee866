import type { PublishedEvent } from '@jetbeat/core';
import { within } from './pause.ts';

/** Telling that nobody has to wait for long. Never rejects: it resolves with why they may not have been told, if so. */
export type TellWithin = (events: readonly PublishedEvent[]) => Promise<Error | undefined>;

/** Far below what the recorder gives a publish before it looks for it, milliseconds. */
const TELL_MS = 2_000;

/**
 * Bounds telling: one that takes longer is left to itself, and until it has come back nothing else is told, at once. So whoever tells goes on
 * with what else it does, and no more than one telling is kept in memory.
 */
export function tellWithin(
  tell: (events: readonly PublishedEvent[]) => Promise<unknown>,
  boundMs: number = TELL_MS,
): TellWithin {
  let isHanging = false;
  return async (events) => {
    if (events.length === 0) return undefined;
    if (isHanging) return new Error('an earlier telling has not come back from EVENTS');
    const telling = tell(events).then(
      () => ({ why: undefined }),
      (why: unknown) => ({ why: why instanceof Error ? why : new Error(String(why)) }),
    );
    const told = await within(telling, boundMs);
    if (told) return told.why;
    isHanging = true;
    void telling.then(() => {
      isHanging = false;
    });
    return new Error(`EVENTS has not taken them within ${boundMs} ms`);
  };
}
