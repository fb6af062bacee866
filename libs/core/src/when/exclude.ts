import { InvalidInputError } from '../errors.ts';
import { civilDay, DAY_MS, dayNumber } from './civil.ts';
import { type CronPattern, parseCron } from './cron.ts';
import { type Excludes, endOf, excludeEvents, latest } from './exclude-events.ts';
import { parseIcal } from './ical.ts';
import type { Exclusion } from './rule.ts';
import { type PeriodAt, zoneOf } from './zone.ts';

/** The most days in one list. */
export const MAX_DATES = 1_000;

/** What leaves times out. */
export interface Exclusions {
  readonly excludes: Excludes;
  /** What one question costs, in the units of `TimeRule.cost`. */
  readonly cost: number;
}

/**
 * Reads what a schedule leaves out.
 * @throws InvalidInputError at the place (`/exclude/0/cron`) that cannot be read, RangeError for an unknown zone
 */
export function createExclusions(exclude: readonly Exclusion[], timeZone: string): Exclusions {
  const periodAt = zoneOf(timeZone);
  let cost = 0;
  const asked = exclude.map((exclusion, index) => {
    cost += 1;
    const pointer = `/exclude/${index}`;
    if ('dates' in exclusion) {
      const days = exclusion.dates.map((date, place) => readDate(date, `${pointer}/dates/${place}`));
      return excludeDates(days, periodAt);
    }
    if ('cron' in exclusion) return excludeCron(parseCron(exclusion.cron, `${pointer}/cron`), periodAt);
    const events = excludeEvents(parseIcal(exclusion.ical, `${pointer}/ical`), timeZone);
    cost += events.cost;
    return events.excludes;
  });
  return { excludes: (time) => latest(asked, time), cost };
}

/**
 * Reads a calendar day, `2026-12-25`, as its number counted from 1 January 1970.
 * @throws InvalidInputError with the code `invalid_date`
 */
function readDate(text: string, pointer: string): number {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  const [year = 0, month = 0, day = 0] = match?.slice(1).map(Number) ?? [];
  const number = dayNumber(year, month, day);
  const date = civilDay(number);
  if (match && date.month === month && date.day === day) return number;
  const message = `${JSON.stringify(text.slice(0, 32))} is no day: write it as 2026-12-25`;
  throw new InvalidInputError(message, [{ pointer, code: 'invalid_date', message }]);
}

function excludeDates(dates: readonly number[], periodAt: PeriodAt): Excludes {
  const days = new Set(dates);
  return (time) => {
    const period = periodAt(time);
    const day = Math.floor((time + period.offset) / DAY_MS);
    return days.has(day) ? endOf(period, (day + 1) * DAY_MS) : undefined;
  };
}

/** Times that match; where it is known that a whole minute, hour or day does, they are passed at one leap. */
function excludeCron(pattern: CronPattern, periodAt: PeriodAt): Excludes {
  const hours = new Set(pattern.hours);
  const minutes = new Set(pattern.minutes);
  const seconds = new Set(pattern.seconds);
  const wholeMinutes = !pattern.hasSeconds || seconds.size === 60;
  const wholeHours = wholeMinutes && minutes.size === 60;
  const leap = wholeHours ? (hours.size === 24 ? DAY_MS : 3_600_000) : wholeMinutes ? 60_000 : 1_000;
  return (time) => {
    const period = periodAt(time);
    const local = time + period.offset;
    const clock = new Date(local);
    const matches =
      hours.has(clock.getUTCHours()) &&
      minutes.has(clock.getUTCMinutes()) &&
      (!pattern.hasSeconds || seconds.has(clock.getUTCSeconds())) &&
      pattern.months.has(clock.getUTCMonth() + 1) &&
      pattern.matchesDay(civilDay(Math.floor(local / DAY_MS)));
    return matches ? endOf(period, (Math.floor(local / leap) + 1) * leap) : undefined;
  };
}
