import { CronExpressionParser } from 'cron-parser';
import { explainField } from './cron-field.ts';
import { InvalidInputError } from './errors.ts';

/** The longest cron expression that is accepted, in characters. */
export const MAX_CRON_LENGTH = 256;

const DAY = 86_400_000;
/** 29 February on a given weekday can be 40 years away (around 2100); further than that nothing fires. */
const MAX_DAYS = 41 * 366;

const FORM = 'five fields (minute hour day month weekday)';
/** A field is put into this to be read alone. */
const ALONE = ['0', '0', '0', '*', '*', '*'];

type SixFields = [string, string, string, string, string, string];

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
  const given = text.length > MAX_CRON_LENGTH ? [] : text.trim().split(/\s+/);
  if (given.length !== 5 && given.length !== 6) throw invalid(wrongCount(text, given.length));
  const fields = (given.length === 5 ? ['0', ...given] : given) as SixFields;
  // `H` draws a value anew each time it is read, so that two schedulers would not agree.
  if (fields.some((field) => /(^|,)H/.test(field))) throw invalid('"H" (a drawn value) is not supported');
  // Each field is read apart, so that what is wrong has a name. And read together, month and day of month make cron-parser
  // drop days or refuse what crontab(5) knows (`0 0 30 2 1`).
  const { second } = readField(0);
  const { minute } = readField(1);
  const { hour } = readField(2);
  const { dayOfMonth } = readField(3);
  const { month } = readField(4);
  const { dayOfWeek } = readField(5);
  const days = new Set<unknown>(dayOfMonth.values);
  const weekdays = new Set<unknown>(dayOfWeek.values);
  const nth = dayOfWeek.nthDay;

  const onDay = ({ day, monthLength }: CalendarDay) =>
    days.has(day) || (days.has('L') && day === monthLength);
  const onWeekday = ({ day, weekday, monthLength }: CalendarDay) =>
    (weekdays.has(weekday) && (nth <= 0 || Math.ceil(day / 7) === nth)) ||
    (day + 7 > monthLength && (weekdays.has(`${weekday}L`) || (weekday === 0 && weekdays.has('7L'))));
  const both = isStar(fields[3]) || isStar(fields[5]);

  return {
    seconds: second.values,
    minutes: minute.values,
    hours: hour.values,
    months: new Set<number>(month.values),
    matchesDay: (date) => (both ? onDay(date) && onWeekday(date) : onDay(date) || onWeekday(date)),
    hourly: hour.values.length === 24,
  };

  function readField(index: number) {
    const written = String(fields[index]);
    try {
      return CronExpressionParser.parse(ALONE.with(index, written).join(' ')).fields;
    } catch (cause) {
      throw invalid(explainField(index, written), cause);
    }
  }

  function invalid(why: string, cause?: unknown): InvalidInputError {
    const message = `${JSON.stringify(text.slice(0, MAX_CRON_LENGTH))} is not a cron expression: ${why}`;
    return new InvalidInputError(message, [{ pointer, code: 'invalid_cron', message }], { cause });
  }
}

function wrongCount(text: string, count: number): string {
  if (text.length > MAX_CRON_LENGTH) return `it is longer than ${MAX_CRON_LENGTH} characters`;
  return text.startsWith('@')
    ? `names such as @daily are not known: write ${FORM}, e.g. "0 3 * * *"`
    : `it has ${count} field${count === 1 ? '' : 's'}: write ${FORM}, or six with seconds first`;
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
