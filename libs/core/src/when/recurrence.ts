import type { ScheduleSpec } from '../schedules/schedule.ts';
import { civilDay } from './civil.ts';
import { parseCron } from './cron.ts';
import { nextLocal } from './cron-times.ts';
import { createExclusions, type Exclusions } from './exclude.ts';
import { isFriendly, toCron } from './friendly.ts';
import { remember } from './remember.ts';
import { createRrule } from './rrule.ts';
import { beginRrule, parseRrule } from './rrule-text.ts';
import { DST_DEFAULTS, type Rule, type When } from './rule.ts';
import { createSolar } from './solar.ts';
import type { LeftOut, TimeMark, TimeRule, WallRule } from './time-rule.ts';
import { isHourly } from './times-of-day.ts';
import { onWallClock } from './wall-clock.ts';
import { zoneOf } from './zone.ts';

/** Where all times of so long a stretch are excluded, nothing is looked for beyond it; milliseconds. */
const MAX_EXCLUDED_MS = 12 * 366 * 86_400_000;
/** The most work of one search among times that are excluded, in the units of `TimeRule.cost`: a few milliseconds. */
const MAX_WORK = 5_000;

const NOTHING: Exclusions = { excludes: () => undefined, cost: 0 };

/** What a recurrence is made of: what a schedule says about when, and where it begins. */
export interface RecurrenceParams
  extends Pick<ScheduleSpec, 'when' | 'exclude' | 'timeZone' | 'dst' | 'startAt' | 'endAt' | 'maxRuns'> {
  /** The schedule's creation, Unix milliseconds: where rules count from that do not say. */
  readonly anchor: number;
  /** How often it has run; with `maxRuns` of them there is no next time. The caller counts, and gives none to look at the rule alone. */
  readonly runs?: number;
}

/** What a search has come to: a time, or up to where it is known that there is none. */
interface Found {
  readonly time?: number;
  readonly gaveUp?: number;
}

/** When a schedule fires, read once and asked often; make one per revision of a schedule. */
export interface Recurrence {
  /**
   * The first time after `after` (Unix milliseconds), `undefined` when there is none, none within 41 years, or the search was given up
   * (`gaveUp`).
   */
  next(after: number): number | undefined;
  /**
   * Up to where (Unix milliseconds) it is known that nothing fires after `after`, when the search for a time was given up: all times of 12 years
   * are excluded, or more than a thousand in a row (a hundred where many events of a calendar repeat). `undefined` when it was not.
   */
  gaveUp(after: number): number | undefined;
  /** What is to be known about a time at which it fires. */
  marks(time: number): readonly TimeMark[];
  /** The first time in (`after`, `upTo`] that is left out because the clock jumps over it. */
  leftOut(after: number, upTo: number): LeftOut | undefined;
}

/**
 * Reads the rules of a schedule.
 *
 * Where clocks change, rules on the wall clock follow it by `dst`: a time in a gap is shifted by the length of the gap, or left
 * out; a time that comes twice fires once or both times.
 * @throws InvalidInputError for what cannot be read, RangeError for an unknown zone
 */
export function createRecurrence(params: RecurrenceParams): Recurrence {
  const { when, exclude = [], timeZone, startAt, endAt, maxRuns, runs = 0 } = params;
  const rules = rulesOf(when).map((rule) => {
    const made = createRule(rule, params);
    return { ...made, next: remember(made.next) };
  });
  const cost = rules.reduce((sum, rule) => sum + rule.cost, 0);
  const excluded = exclude.length === 0 ? NOTHING : createExclusions(exclude, timeZone);
  const over = maxRuns !== undefined && runs >= maxRuns;

  /** A search among times that are excluded is dear, and whoever learns that it was given up has asked for the time first. */
  let last = { after: Number.NaN, found: {} as Found };
  const search = (after: number) => {
    if (last.after !== after) last = { after, found: find(after) };
    return last.found;
  };
  const next = (after: number) => search(after).time;

  return {
    next,
    gaveUp: (after) => search(after).gaveUp,
    marks: (time) => {
      const firing = rules.filter((rule) => rule.next(time - 1) === time);
      return firing.map((rule) => rule.mark?.(time)).filter((mark) => mark !== undefined);
    },
    leftOut: (after, upTo) => least(rules.map((rule) => rule.leftOut?.(after, upTo))),
  };

  function find(after: number): Found {
    if (over) return {};
    const from = startAt === undefined ? after : Math.max(after, startAt - 1);
    let time = firstOf(rules, from);
    const horizon = (time ?? 0) + MAX_EXCLUDED_MS;
    let work = 0;
    while (time !== undefined && time <= (endAt ?? time)) {
      const until = excluded.excludes(time);
      if (until === undefined) return { time };
      time = firstOf(rules, Math.max(time, until - 1));
      work += cost + excluded.cost;
      if (time !== undefined && (work >= MAX_WORK || time > horizon)) return { gaveUp: time - 1 };
    }
    return {};
  }
}

/** The times in (`after`, `upTo`], oldest first, at most `limit` of them; all in Unix milliseconds. */
export function timesBetween(
  recurrence: Pick<Recurrence, 'next'>,
  after: number,
  upTo: number,
  limit: number,
): number[] {
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

function firstOf(rules: readonly TimeRule[], after: number): number | undefined {
  let first: number | undefined;
  for (const rule of rules) {
    const time = rule.next(after);
    if (time !== undefined && (first === undefined || time < first)) first = time;
  }
  return first;
}

function least(found: readonly (LeftOut | undefined)[]): LeftOut | undefined {
  return found.filter((one) => one !== undefined).sort((a, b) => a.at - b.at)[0];
}

/**
 * Makes one rule.
 * @throws InvalidInputError for what cannot be read, RangeError for an unknown zone
 */
export function createRule(
  rule: Rule,
  params: Pick<RecurrenceParams, 'timeZone' | 'dst' | 'startAt' | 'anchor'>,
): TimeRule {
  const { timeZone, dst = DST_DEFAULTS, startAt, anchor } = params;
  if ('at' in rule) return { next: (after) => (rule.at > after ? rule.at : undefined), cost: 0 };
  if ('every' in rule) {
    const from = rule.from ?? startAt;
    // Where nothing says when it begins it has always been, as a cron has: what is made today can be run for yesterday.
    return from === undefined ? createEvery(rule.every, anchor, false) : createEvery(rule.every, from, true);
  }
  if ('solar' in rule) return createSolar(rule.solar);
  if ('rrule' in rule) {
    const begun = beginRrule(parseRrule(rule.rrule), params);
    return onWallClock(createRrule(begun), zoneOf(begun.zone), dst);
  }
  return onWallClock(createCron(isFriendly(rule) ? toCron(rule) : rule.cron), zoneOf(timeZone), dst);
}

/** @param begins nothing fires before `from` */
function createEvery(every: number, from: number, begins: boolean): TimeRule {
  return {
    next: (after) =>
      begins && after < from ? from : from + (Math.floor((after - from) / every) + 1) * every,
    cost: 1,
  };
}

function createCron(text: string): WallRule {
  const pattern = parseCron(text);
  const matches = (day: number) => pattern.matchesDay(civilDay(day));
  return {
    next: (local) => nextLocal(pattern, local),
    hourly: isHourly(pattern),
    days: { months: pattern.months, matches },
    cost: 2,
  };
}
