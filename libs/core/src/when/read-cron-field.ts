import { CronExpressionParser } from 'cron-parser';
import { memo } from './memo.ts';

/** The fields in the order in which they are written, seconds first. */
const NAMES = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;
/** A field is put into this to be read alone. */
const ALONE = ['0', '0', '0', '*', '*', '*'];
/** Fields that are remembered. */
const MAX_KNOWN = 1_024;

/** What one field of a cron expression says. */
export interface ReadField {
  /** Ascending numbers; of days also `L`, and `5L` for the last Friday. */
  readonly values: readonly (number | string)[];
  /** Of weekdays: the nth one of the month that is meant, 0 for all. */
  readonly nth: number;
}

/**
 * Reads one field by cron-parser: apart from the others, so that what is wrong has a name. And read together, month and day of
 * month make cron-parser drop days or refuse what crontab(5) knows (`0 0 30 2 1`).
 * @param index its place among six fields
 * @throws Error of the library for what it cannot read
 */
export function readCronField(index: number, written: string): ReadField {
  return readKey(`${index} ${written}`);
}

/** Remembered, since the library takes 20 us for each field, and most fields are `*` or a number. */
const readKey = memo((key: string): ReadField => {
  const index = Number(key[0]);
  const { fields } = CronExpressionParser.parse(ALONE.with(index, key.slice(2)).join(' '));
  const field = fields[NAMES[index] as (typeof NAMES)[number]];
  return { values: field.values, nth: Math.max(0, fields.dayOfWeek.nthDay) };
}, MAX_KNOWN);
