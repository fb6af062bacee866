import type { Recurrence } from '@jetbeat/core';
import { MAX_BACKFILL } from '@jetbeat/core/http';
import { createTurns } from '../turns.ts';

/** What a backfill comes to. */
export interface BackfillTimes {
  /** Nominal times, oldest first, at most `MAX_BACKFILL`; Unix milliseconds. */
  readonly times: readonly number[];
  /** How many there are in all, as far as they were counted. */
  readonly count: number;
  /** There are more than were counted. */
  readonly more: boolean;
}

/** Where counting ends: a little more than a day of every second. */
const MAX_COUNTED = 100_000;
/** A rule that is dear to look at is looked at for so long, milliseconds. */
const MAX_MS = 2_000;

/**
 * The times of a schedule in a range, both ends included: what its rule would have fired, had it been there.
 * @param range Unix milliseconds
 */
export async function backfillTimes(
  recurrence: Pick<Recurrence, 'next'>,
  { from, to }: { from: number; to: number },
): Promise<BackfillTimes> {
  const times: number[] = [];
  const begun = performance.now();
  const others = createTurns();
  let count = 0;
  for (let time = recurrence.next(from - 1); time !== undefined && time <= to; time = recurrence.next(time)) {
    if (count === MAX_COUNTED || performance.now() - begun > MAX_MS) return { times, count, more: true };
    if (times.length < MAX_BACKFILL) times.push(time);
    count++;
    await others();
  }
  return { times, count, more: false };
}
