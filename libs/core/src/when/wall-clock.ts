import type { DstRules } from './rule.ts';
import type { LeftOut, TimeMark, TimeRule, WallRule } from './time-rule.ts';
import { MAX_SHIFT_MS, type Period, type PeriodAt } from './zone.ts';

/** Periods of the clock that one search for what is left out looks at. */
const MAX_PERIODS = 64;

/**
 * Puts a rule on the wall clock of a zone onto the time line. A time that the clock jumps over is shifted by the length of the
 * gap, or left out; a time that comes twice fires the first time, or both times.
 */
export function onWallClock(rule: WallRule, periodAt: PeriodAt, { gap, fold }: DstRules): TimeRule {
  const both = fold === 'both' || (fold === 'auto' && rule.hourly);
  const matches = (local: number) => rule.next(local - 1) === local;

  const { days, cost } = rule;

  return { next, mark, leftOut, cost, ...(days ? { days } : {}) };

  function next(after: number): number | undefined {
    let from = after;
    for (let period = periodAt(from); ; period = periodAt(from + 1)) {
      const found = nextIn(period, from);
      if (found !== undefined && found < period.to) return found;
      // What a change of the clock repeats comes within a day of it.
      if (period.changes && period.to - from <= MAX_SHIFT_MS) from = period.to - 1;
      else if (found === undefined) return undefined;
      // Offsets differ by a day at most, so that nothing fires in between.
      else from = Math.max(period.to - 1, found - MAX_SHIFT_MS);
    }
  }

  /** The first time after `after` at which the rule fires as long as the period's offset holds. */
  function nextIn({ from, offset, before }: Period, after: number): number | undefined {
    // After a jump back the clock shows for a while what it showed before.
    const repeatedUntil = from + before - offset;
    const local = rule.next((both ? after : Math.max(after, repeatedUntil - 1)) + offset);
    const regular = local === undefined ? undefined : local - offset;
    // After a jump ahead, what lay in the gap fires as if the clock had not jumped.
    const shiftedUntil = from + offset - before;
    if (gap === 'skip' || after >= shiftedUntil) return regular;
    const missed = rule.next(after + before);
    if (missed === undefined || missed - before >= shiftedUntil) return regular;
    return Math.min(regular ?? Number.POSITIVE_INFINITY, missed - before);
  }

  function mark(time: number): TimeMark | undefined {
    const { from, offset, before } = periodAt(time);
    const [shown, meant] = [time + offset, time + before];
    if (matches(shown))
      return time < from + before - offset ? { code: 'repeated', reading: shown } : undefined;
    // It fires then, and not by what the clock shows.
    return { code: 'gap_shifted', reading: meant };
  }

  function leftOut(after: number, upTo: number): LeftOut | undefined {
    if (gap === 'shift') return undefined;
    let period = periodAt(after);
    for (let looked = 0; looked < MAX_PERIODS && period.to < upTo; looked += 1) {
      const { to, offset } = period;
      period = periodAt(to);
      const reading = rule.next(to - 1 + offset);
      if (reading !== undefined && reading < to + period.offset) return { reading, at: to };
    }
    return undefined;
  }
}
