import { CronExpressionParser } from 'cron-parser';
import { InvalidInputError } from './errors.ts';

/** The longest cron expression that is accepted, in characters. */
export const MAX_CRON_LENGTH = 256;

const DAY = 86_400_000;
/** 29 February on a given weekday can be 40 years away (around 2100); further than that nothing fires. */
const MAX_DAYS = 41 * 366;

/** What a cron expression asks of a wall clock. */
export interface CronPattern {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: ReadonlySet<number>;
  readonly matchesDay: (date: CalendarDay) => boolean;
  /** It runs at least hourly on the days on which it runs: then both passes of a repeated hour count. */
  readonly hourly: boolean;
}

interface CalendarDay {
  /** 1 to 31. */
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** Number of days in its month. */
  readonly monthLength: number;
}

/**
 * Reads five fields (minute, hour, day of month, month, day of week), or six with seconds first: lists, ranges, steps, names,
 * `L`, `weekday#n` and `weekdayL`, as cron-parser 5 knows them. The days follow crontab(5): both fields must match when one
 * of them begins with `*`, else one of them is enough.
 * @throws InvalidInputError with the code `invalid_cron`
 */
export function parseCron(text: string, pointer = ''): CronPattern {
  const fields = text.length > MAX_CRON_LENGTH ? [] : text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    throw invalid(
      `write five fields (minute hour day month weekday), or six with seconds first, at most ${MAX_CRON_LENGTH} characters`,
    );
  }
  // `H` draws a value anew each time it is read, so that two schedulers would not agree.
  if (fields.some((field) => /(^|,)H/.test(field))) throw invalid('"H" (a drawn value) is not supported');
  const [dayField, monthField, weekdayField] = fields.slice(-3) as [string, string, string];
  // The months are read apart: together with them cron-parser drops days or refuses what crontab(5) knows (`0 0 30 2 1`).
  const { month } = read(`0 0 0 1 ${monthField} *`);
  const { second, minute, hour, dayOfMonth, dayOfWeek } = read(
    [...fields.slice(0, -2), '*', weekdayField].join(' '),
  );
  const days = new Set<unknown>(dayOfMonth.values);
  const weekdays = new Set<unknown>(dayOfWeek.values);
  const nth = dayOfWeek.nthDay;

  const onDay = ({ day, monthLength }: CalendarDay) =>
    days.has(day) || (days.has('L') && day === monthLength);
  const onWeekday = ({ day, weekday, monthLength }: CalendarDay) =>
    (weekdays.has(weekday) && (nth <= 0 || Math.ceil(day / 7) === nth)) ||
    (day + 7 > monthLength && (weekdays.has(`${weekday}L`) || (weekday === 0 && weekdays.has('7L'))));
  const both = isStar(dayField) || isStar(weekdayField);

  return {
    seconds: second.values,
    minutes: minute.values,
    hours: hour.values,
    months: new Set<number>(month.values),
    matchesDay: (date) => (both ? onDay(date) && onWeekday(date) : onDay(date) || onWeekday(date)),
    hourly: hour.values.length === 24,
  };

  function read(expression: string) {
    try {
      return CronExpressionParser.parse(expression).fields;
    } catch (cause) {
      throw invalid((cause as Error).message, cause);
    }
  }

  function invalid(why: string, cause?: unknown): InvalidInputError {
    const message = `${JSON.stringify(text.slice(0, MAX_CRON_LENGTH))} is not a cron expression: ${why}`;
    return new InvalidInputError(message, [{ pointer, code: 'invalid_cron', message }], { cause });
  }
}

/**
 * The first time after `local` that the pattern matches, if there is one.
 * @param local a wall clock's reading, written as Unix milliseconds as if it were UTC; so is the result
 */
export function nextLocal(pattern: CronPattern, local: number): number | undefined {
  const from = Math.floor(local / 1_000) * 1_000 + 1_000;
  let day = Math.floor(from / DAY);
  if (matches(pattern, day) === 'yes') {
    const time = timeOfDay(pattern, (from - day * DAY) / 1_000);
    if (time !== undefined) return day * DAY + time * 1_000;
  }
  const first = timeOfDay(pattern, 0) as number;
  for (const end = day + MAX_DAYS; day < end; ) {
    day += 1;
    const match = matches(pattern, day);
    if (match === 'yes') return day * DAY + first * 1_000;
    if (typeof match === 'number') day = match - 1;
  }
  return undefined;
}

/** Whether the pattern runs on this day (counted from 1970); where the month is wrong, the first day of the next one. */
function matches(pattern: CronPattern, day: number): 'yes' | 'no' | number {
  const date = new Date(day * DAY);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const next = Date.UTC(year, month + 1, 1) / DAY;
  if (!pattern.months.has(month + 1)) return next;
  const monthLength = next - Date.UTC(year, month, 1) / DAY;
  return pattern.matchesDay({ day: date.getUTCDate(), weekday: date.getUTCDay(), monthLength })
    ? 'yes'
    : 'no';
}

/** The first matching time of day at or after `from`, both in seconds since midnight. */
function timeOfDay(pattern: CronPattern, from: number): number | undefined {
  const hour = Math.floor(from / 3_600);
  const minute = Math.floor(from / 60) % 60;
  for (const h of pattern.hours) {
    if (h < hour) continue;
    for (const m of pattern.minutes) {
      if (h === hour && m < minute) continue;
      const least = h === hour && m === minute ? from % 60 : 0;
      const s = pattern.seconds.find((second) => second >= least);
      if (s !== undefined) return h * 3_600 + m * 60 + s;
    }
  }
  return undefined;
}

function isStar(field: string): boolean {
  return /^[*?]/.test(field);
}
