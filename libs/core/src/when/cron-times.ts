import { civilDay, DAY_MS, dayNumber } from './civil.ts';
import type { CronPattern } from './cron.ts';
import { timeFrom } from './times-of-day.ts';

/** 29 February on a given weekday can be 40 years away (around 2100); further than that nothing fires. */
const MAX_DAYS = 41 * 366;

/**
 * The first time after `local` that the pattern matches, if there is one.
 * @param local a wall clock's reading, written as Unix milliseconds as if it were UTC; so is the result
 */
export function nextLocal(pattern: CronPattern, local: number): number | undefined {
  const from = Math.floor(local / 1_000) * 1_000 + 1_000;
  let day = Math.floor(from / DAY_MS);
  if (matchesDay(pattern, day) === true) {
    const time = timeFrom(pattern, (from - day * DAY_MS) / 1_000);
    if (time !== undefined) return day * DAY_MS + time * 1_000;
  }
  for (const end = day + MAX_DAYS; day < end; ) {
    day += 1;
    const match = matchesDay(pattern, day);
    if (match === true) return day * DAY_MS + (timeFrom(pattern, 0) as number) * 1_000;
    if (typeof match === 'number') day = match - 1;
  }
  return undefined;
}

/** Whether the pattern runs on this day (counted from 1970); where the month is wrong, the first day of the next one. */
function matchesDay(pattern: CronPattern, number: number): boolean | number {
  const date = civilDay(number);
  return pattern.months.has(date.month) ? pattern.matchesDay(date) : dayNumber(date.year, date.month + 1, 1);
}
