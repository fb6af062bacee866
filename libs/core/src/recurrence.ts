import { type CronPattern, nextLocal, parseCron } from './cron.ts';
import type { Rule, When } from './schedule.ts';
import { createZone, type Period } from './zone.ts';

const LOOK_BACK = 2 * 86_400_000;

/** When a schedule fires, read once and asked often; make one per revision of a schedule. */
export interface Recurrence {
  /** The first time after `after` (Unix milliseconds), `undefined` when there is none. */
  next(after: number): number | undefined;
}

/**
 * Reads the rules of a schedule.
 *
 * Where clocks change, cron follows the wall clock so: a time in a gap is shifted by the length of the gap; a time that comes
 * twice fires both times in forms that run at least hourly, and the first time in others.
 * @throws InvalidInputError for a cron expression that cannot be read, RangeError for an unknown zone
 */
export function createRecurrence(params: {
  readonly when: When;
  readonly timeZone: string;
  /** Where `every` without `from` counts from: the schedule's creation, Unix milliseconds. */
  readonly anchor: number;
}): Recurrence {
  const { when, timeZone, anchor } = params;
  const rules = rulesOf(when).map((rule) => createRule(rule, timeZone, anchor));
  return {
    next: (after) =>
      rules.reduce<number | undefined>((least, next) => {
        const time = next(after);
        return least === undefined || (time !== undefined && time < least) ? time : least;
      }, undefined),
  };
}

/** The times in (`after`, `upTo`], oldest first, at most `limit` of them; all in Unix milliseconds. */
export function timesBetween(recurrence: Recurrence, after: number, upTo: number, limit: number): number[] {
  const times: number[] = [];
  for (
    let time = recurrence.next(after);
    time !== undefined && time <= upTo && times.length < limit;
    time = recurrence.next(time)
  ) {
    times.push(time);
  }
  return times;
}

/** The rules of a schedule as a list, whether it has one or many. */
export function rulesOf(when: When): readonly Rule[] {
  return 'length' in when ? when : [when];
}

type NextTime = (after: number) => number | undefined;

function createRule(rule: Rule, timeZone: string, anchor: number): NextTime {
  if ('at' in rule) return (after) => (rule.at > after ? rule.at : undefined);
  if ('every' in rule) {
    const from = rule.from ?? anchor;
    return (after) =>
      after < from ? from : from + (Math.floor((after - from) / rule.every) + 1) * rule.every;
  }
  return createCron(parseCron(rule.cron), createZone(timeZone));
}

function createCron(pattern: CronPattern, periodAt: (time: number) => Period): NextTime {
  return (after) => {
    let from = after;
    for (let period = periodAt(from); ; period = periodAt(from + 1)) {
      const next = nextIn(pattern, period, from);
      if (next === undefined || next < period.to) return next;
      // Offsets differ by a day at most, so that nothing fires in between; but what a change repeats or shifts is next to it.
      from = period.changes ? period.to - 1 : Math.max(period.to - 1, next - LOOK_BACK);
    }
  };
}

/** The first time after `after` at which the pattern fires as long as the period's offset holds. */
function nextIn(pattern: CronPattern, period: Period, after: number): number | undefined {
  const { from, offset, before } = period;
  // After a jump back the clock shows for a while what it showed before: only hourly forms run again.
  const repeatedUntil = from + before - offset;
  const start = pattern.hourly ? after : Math.max(after, repeatedUntil - 1);
  const local = nextLocal(pattern, start + offset);
  if (local === undefined) return undefined;
  // After a jump ahead, what lay in the gap fires as if the clock had not jumped.
  const shiftedUntil = from + offset - before;
  const shifted = after < shiftedUntil ? nextLocal(pattern, after + before) : undefined;
  const regular = local - offset;
  return shifted !== undefined && shifted - before < shiftedUntil
    ? Math.min(regular, shifted - before)
    : regular;
}
