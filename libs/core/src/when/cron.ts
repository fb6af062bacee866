import { InvalidInputError } from '../errors.ts';
import { nearest } from '../unknown-fields.ts';
import type { CivilDay } from './civil.ts';
import { explainField } from './cron-field.ts';
import { readNearestWeekdays } from './nearest-weekday.ts';
import { type ReadField, readCronField } from './read-cron-field.ts';
import type { TimesOfDay } from './times-of-day.ts';

/** The longest cron expression that is accepted, in characters. */
export const MAX_CRON_LENGTH = 256;

const FORM = 'five fields (minute hour day month weekday)';

type SixFields = [string, string, string, string, string, string];

/** Names that stand for five fields, as crontab(5) knows them. */
const MACROS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** What a cron expression asks of a wall clock. */
export interface CronPattern extends TimesOfDay {
  readonly months: ReadonlySet<number>;
  /** Whether it runs on a day of one of its months. */
  readonly matchesDay: (date: CivilDay) => boolean;
  /** It has a field of seconds. */
  readonly hasSeconds: boolean;
  /** Day of month and day of week are both restricted, so that either is enough. */
  readonly eitherDay: boolean;
}

/**
 * Reads five fields (minute, hour, day of month, month, day of week), or six with seconds first: lists, ranges, steps, names,
 * `L`, `weekday#n` and `weekdayL`, as cron-parser 5 knows them, `15W` and `LW`; or a name such as `@daily`. The days follow
 * crontab(5): both fields must match when one of them begins with `*`, else one of them is enough.
 * @throws InvalidInputError with the code `invalid_cron`
 */
export function parseCron(text: string, pointer = ''): CronPattern {
  const written = text.length > MAX_CRON_LENGTH ? '' : text.trim();
  const given = (MACROS.get(written.toLowerCase()) ?? written).split(/\s+/);
  if (given.length !== 5 && given.length !== 6) throw invalid(wrongCount(text, given.length));
  const fields = (given.length === 5 ? ['0', ...given] : given) as SixFields;
  // `H` draws a value anew each time it is read, so that two schedulers would not agree.
  if (fields.some((field) => /(^|,)H/.test(field))) throw invalid('"H" (a drawn value) is not supported');
  const seconds = numbers(0);
  const minutes = numbers(1);
  const hours = numbers(2);
  const nearestTo = readNearestWeekdays(fields[3]);
  // Where nothing but `W` is said, no other day of the month counts.
  const days = new Set(nearestTo?.rest === '' ? [] : readField(3, nearestTo?.rest).values);
  const months = new Set(numbers(4));
  const { values, nth } = readField(5);
  const weekdays = new Set(values);

  const onDay = (date: CivilDay) =>
    days.has(date.day) ||
    (days.has('L') && date.day === date.monthLength) ||
    nearestTo?.matches(date) === true;
  const onWeekday = ({ day, weekday, monthLength }: CivilDay) =>
    (weekdays.has(weekday) && (nth === 0 || Math.ceil(day / 7) === nth)) ||
    (day + 7 > monthLength && (weekdays.has(`${weekday}L`) || (weekday === 0 && weekdays.has('7L'))));
  const both = isStar(fields[3]) || isStar(fields[5]);

  return {
    seconds,
    minutes,
    hours,
    months,
    matchesDay: (date) => (both ? onDay(date) && onWeekday(date) : onDay(date) || onWeekday(date)),
    hasSeconds: given.length === 6,
    eitherDay: !both,
  };

  function readField(index: number, written = String(fields[index])): ReadField {
    try {
      return readCronField(index, written);
    } catch (cause) {
      throw invalid(explainField(index, written), cause);
    }
  }

  /** Seconds, minutes, hours and months are nothing but numbers. */
  function numbers(index: number): readonly number[] {
    return readField(index).values as readonly number[];
  }

  function invalid(why: string, cause?: unknown): InvalidInputError {
    const message = `${JSON.stringify(text.slice(0, MAX_CRON_LENGTH))} is not a cron expression: ${why}`;
    return new InvalidInputError(message, [{ pointer, code: 'invalid_cron', message }], { cause });
  }
}

function wrongCount(text: string, count: number): string {
  if (text.length > MAX_CRON_LENGTH) return `it is longer than ${MAX_CRON_LENGTH} characters`;
  const word = text.trim().toLowerCase();
  if (word === '@reboot')
    return 'a schedule knows no reboot: write a time, or enqueue the job when you start';
  if (word.startsWith('@')) {
    const names = [...MACROS.keys()];
    const meant = nearest(word, names);
    return meant === undefined ? `of names it knows ${names.join(', ')}` : `did you mean ${meant}?`;
  }
  return `it has ${count} field${count === 1 ? '' : 's'}: write ${FORM}, or six with seconds first`;
}

function isStar(field: string): boolean {
  return /^[*?]/.test(field);
}
