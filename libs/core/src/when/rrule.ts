import { InvalidInputError } from '../errors.ts';
import { civilDay, DAY_MS } from './civil.ts';
import { createRruleDays, type RruleDays } from './rrule-days.ts';
import { rruleGrid } from './rrule-grid.ts';
import type { RruleParts } from './rrule-parts.ts';
import type { WallRule } from './time-rule.ts';
import { countOf, isHourly, type TimesOfDay, timeAt, timeFrom } from './times-of-day.ts';

/** What does not come within this never comes (29 February on a given weekday can be 40 years away). */
const MAX_DAYS = 41 * 366;
/** Periods of hours, minutes or seconds that one search looks at. */
const MAX_LOOKS = 2_000;
/** The most work of counting to COUNT, in such periods. */
const MAX_COUNTING = 5_000;

const EVERY_MONTH = Array.from({ length: 12 }, (_, index) => index + 1);
const ALL_24 = Array.from({ length: 24 }, (_, index) => index);
const ALL_60 = Array.from({ length: 60 }, (_, index) => index);

/** An RRULE that has been read, and where it begins. */
export interface RruleParams {
  readonly parts: RruleParts;
  /** DTSTART: the reading of the clock, as if it were UTC; whole seconds in milliseconds. */
  readonly start: number;
  /** The last reading that counts, where the rule has an end. */
  readonly until?: number;
}

/**
 * Makes the rule of an RRULE on a wall clock. It asks for one period after another (a year, month, … second), skipping to where
 * `local` is, so that a rule that began long ago costs no more; a search is bounded in years and in periods looked at.
 * @throws InvalidInputError when its COUNT cannot be counted in bounded time
 */
export function createRrule(params: RruleParams): WallRule {
  const parts = withDefaults(params.parts, params.start);
  const { bySetPos } = parts;
  const times: TimesOfDay = { hours: parts.byHour, minutes: parts.byMinute, seconds: parts.bySecond };
  const days = createRruleDays(parts);
  const grid = rruleGrid(parts, params.start);
  const search = grid.ofDays ? searchDays : searchTimes;
  let looks = 0;
  const last = parts.count === undefined ? params.until : lastOf(parts.count);

  return {
    next,
    hourly: runsHourly(parts),
    ...(parts.byMonthDay.length > 0 || parts.byDay.length > 0
      ? {
          days: {
            months: new Set(parts.byMonth.length > 0 ? parts.byMonth : EVERY_MONTH),
            matches: days.matches,
          },
        }
      : {}),
    cost: bySetPos.length > 0 ? 60 : 4,
  };

  function next(local: number): number | undefined {
    const from = Math.max(params.start, Math.floor(local / 1_000) * 1_000 + 1_000);
    if (last !== undefined && from > last) return undefined;
    const found = search(from / 1_000);
    return found === undefined || (last !== undefined && found * 1_000 > last) ? undefined : found * 1_000;
  }

  /** What COUNT allows is counted once, from the beginning; from then on it is an end like UNTIL. */
  function lastOf(count: number): number {
    let last = Number.NEGATIVE_INFINITY;
    for (let index = 0, from = params.start / 1_000; index < count; index += 1) {
      const found = search(from);
      if (found === undefined) break;
      if (looks > MAX_COUNTING) throw countingTooLong(count);
      last = found * 1_000;
      from = found + 1;
    }
    return last;
  }

  /** For years to days. Seconds. */
  function searchDays(from: number): number | undefined {
    const horizon = Math.floor(from / DAY_S) + MAX_DAYS;
    for (let index = grid.at(from); grid.first(index) <= horizon; index = grid.after(index)) {
      const [first, end] = [grid.first(index), grid.first(index + 1) - 1];
      looks += 1 + (end - first) / (bySetPos.length > 0 ? 2 : 8);
      const found = bySetPos.length > 0 ? placeFrom(first, end, from) : dayFrom(first, end, from);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function dayFrom(first: number, end: number, from: number): number | undefined {
    const today = Math.floor(from / DAY_S);
    if (today >= first && today <= end && days.matches(today)) {
      const time = timeFrom(times, from - today * DAY_S);
      if (time !== undefined) return today * DAY_S + time;
    }
    const day = days.first(Math.max(first, today + 1), end);
    return day === undefined ? undefined : day * DAY_S + (timeFrom(times, 0) as number);
  }

  /** BYSETPOS: the places named, among all the times of the period. */
  function placeFrom(first: number, end: number, from: number): number | undefined {
    const matching = daysOf(days, first, end);
    const each = countOf(times);
    return leastFrom(from, bySetPos, matching.length * each, (place) => {
      const day = matching[Math.floor(place / each)] as number;
      return day * DAY_S + timeAt(times, place % each);
    });
  }

  /** For hours to seconds. Seconds. */
  function searchTimes(from: number): number | undefined {
    const horizon = Math.floor(from / DAY_S) + MAX_DAYS;
    let index = grid.at(from);
    for (let looked = 0; looked < MAX_LOOKS; looked += 1, looks += 1) {
      const begin = grid.first(index);
      const right = rightFrom(begin, horizon);
      if (right === undefined) return undefined;
      const found = right === begin ? timeWithin(begin, from) : undefined;
      if (found !== undefined) return found;
      index = right === begin ? grid.after(index) : grid.from(right);
    }
    return undefined;
  }

  /** The first second from `begin` on, or a second on the way to it, whose day, hour and minute a period may begin in. */
  function rightFrom(begin: number, horizon: number): number | undefined {
    const day = days.first(Math.floor(begin / DAY_S), horizon);
    if (day === undefined) return undefined;
    const time = timeFrom(grid.within(times), Math.max(0, begin - day * DAY_S));
    return time === undefined ? (day + 1) * DAY_S : day * DAY_S + time;
  }

  /** The first time of the hour, minute or second that begins then. */
  function timeWithin(begin: number, from: number): number | undefined {
    const day = Math.floor(begin / DAY_S);
    const within = grid.timesOf(times, begin - day * DAY_S);
    if (bySetPos.length > 0) {
      return leastFrom(from, bySetPos, countOf(within), (place) => day * DAY_S + timeAt(within, place));
    }
    const time = timeFrom(within, Math.max(begin, from) - day * DAY_S);
    return time === undefined ? undefined : day * DAY_S + time;
  }
}

const DAY_S = DAY_MS / 1_000;

function countingTooLong(count: number): InvalidInputError {
  const message = `COUNT=${count}: to count so far takes too long with this rule; write UNTIL instead`;
  return new InvalidInputError(message, [{ pointer: '', code: 'invalid_rrule', message }]);
}

/** The least of the named places of `total` whose time is not before `from`; negative ones count from the end. */
function leastFrom(
  from: number,
  places: readonly number[],
  total: number,
  timeOf: (place: number) => number,
): number | undefined {
  let least: number | undefined;
  for (const place of places) {
    const index = place > 0 ? place - 1 : total + place;
    if (index < 0 || index >= total) continue;
    const time = timeOf(index);
    if (time >= from && (least === undefined || time < least)) least = time;
  }
  return least;
}

function daysOf(days: RruleDays, first: number, end: number): number[] {
  const found: number[] = [];
  for (let day = days.first(first, end); day !== undefined; day = days.first(day + 1, end)) found.push(day);
  return found;
}

/** What the rule does not say is as in DTSTART (RFC 5545 §3.3.10, "Information, not contained in the rule"). */
function withDefaults(parts: RruleParts, start: number): RruleParts {
  const { freq, byDay, byMonthDay, byYearDay, byWeekNo } = parts;
  const { month, day, weekday } = civilDay(Math.floor(start / DAY_MS));
  const date = new Date(start);
  const noDay = byDay.length === 0 && byMonthDay.length === 0 && byYearDay.length === 0;
  const rank = ['HOURLY', 'MINUTELY', 'SECONDLY'].indexOf(freq);
  const orElse = (list: readonly number[], none: readonly number[]) => (list.length > 0 ? list : none);
  const weekly = noDay && (freq === 'WEEKLY' || byWeekNo.length > 0);
  const byDate = noDay && byWeekNo.length === 0 && (freq === 'YEARLY' || freq === 'MONTHLY');
  return {
    ...parts,
    ...(weekly ? { byDay: [{ weekday, nth: 0 }] } : {}),
    ...(byDate ? { byMonthDay: [day] } : {}),
    ...(byDate && freq === 'YEARLY' ? { byMonth: orElse(parts.byMonth, [month]) } : {}),
    byHour: orElse(parts.byHour, rank < 0 ? [date.getUTCHours()] : ALL_24),
    byMinute: orElse(parts.byMinute, rank < 1 ? [date.getUTCMinutes()] : ALL_60),
    bySecond: orElse(parts.bySecond, rank < 2 ? [date.getUTCSeconds()] : ALL_60),
  };
}

function runsHourly({ freq, interval, byHour, byMinute, bySecond, bySetPos }: RruleParts): boolean {
  if (!isHourly({ hours: byHour })) return false;
  if (freq === 'HOURLY') return interval === 1;
  if (freq === 'MINUTELY') return interval === 1 || (interval <= 60 && byMinute.length === 60);
  if (freq === 'SECONDLY')
    return interval === 1 || (interval <= 3_600 && byMinute.length === 60 && bySecond.length === 60);
  return bySetPos.length === 0;
}
