import { nearest } from '../unknown-fields.ts';
import { type IcalTime, readIcalTime } from './ical-time.ts';

/** How often a rule repeats, the longest first. */
const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'] as const;
/** How often a rule repeats. */
type Frequency = (typeof FREQUENCIES)[number];

/** A day of the week, 0 is Sunday; the nth one of its month or year where `nth` is not 0, from the end where it is negative. */
export interface WeekdayOf {
  readonly weekday: number;
  readonly nth: number;
}

/** The parts of an RRULE (RFC 5545 §3.3.10). A list that is not written is empty. */
export interface RruleParts {
  readonly freq: Frequency;
  readonly interval: number;
  readonly count?: number;
  readonly until?: IcalTime;
  readonly bySecond: readonly number[];
  readonly byMinute: readonly number[];
  readonly byHour: readonly number[];
  readonly byDay: readonly WeekdayOf[];
  readonly byMonthDay: readonly number[];
  readonly byYearDay: readonly number[];
  readonly byWeekNo: readonly number[];
  readonly byMonth: readonly number[];
  readonly bySetPos: readonly number[];
  /** The day on which a week begins, 0 is Sunday. */
  readonly weekStart: number;
}

/** The greatest COUNT: all of them are counted through. */
const MAX_COUNT = 1_000;

const DAY_NAMES = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
/** The longest interval of each frequency: about ten years. */
const MAX_INTERVAL: Readonly<Record<Frequency, number>> = {
  YEARLY: 10,
  MONTHLY: 120,
  WEEKLY: 520,
  DAILY: 3_650,
  HOURLY: 87_600,
  MINUTELY: 5_256_000,
  SECONDLY: 315_360_000,
};
/** The lists of numbers: the greatest, and whether 0 counts, and whether they count from the end too. */
const LISTS = {
  BYSECOND: [0, 59, false],
  BYMINUTE: [0, 59, false],
  BYHOUR: [0, 23, false],
  BYMONTHDAY: [1, 31, true],
  BYYEARDAY: [1, 366, true],
  BYWEEKNO: [1, 53, true],
  BYMONTH: [1, 12, false],
  BYSETPOS: [1, 366, true],
} as const;
const NAMES = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'WKST', ...Object.keys(LISTS)];

/**
 * Reads `FREQ=MONTHLY;BYDAY=-1FR`.
 * @returns a text that names the part that is wrong
 */
export function readRruleParts(text: string): RruleParts | string {
  const written = new Map<string, string>();
  for (const part of text.split(';').filter((one) => one.trim() !== '')) {
    const [key = '', value, more] = part.split('=');
    const name = key.trim().toUpperCase();
    if (!NAMES.includes(name)) return unknownPart(name);
    if (value === undefined || value.trim() === '' || more !== undefined)
      return `${name}: write ${name}=value`;
    if (written.has(name)) return `${name} is there twice`;
    written.set(name, value.trim().toUpperCase());
  }
  const wrong: string[] = [];
  const given = written.get('FREQ');
  const freq = FREQUENCIES.find((frequency) => frequency === given);
  if (freq === undefined) {
    const said = given === undefined ? 'is missing' : `${JSON.stringify(given.slice(0, 32))} is not known`;
    return `FREQ ${said}: write one of ${FREQUENCIES.join(', ')}`;
  }
  const list = (name: keyof typeof LISTS) => readList(name, written.get(name), wrong);
  const until = readUntil(written.get('UNTIL'), wrong);
  const weekStart = DAY_NAMES.indexOf(written.get('WKST') ?? 'MO');
  if (weekStart < 0) wrong.push(`WKST is one of ${DAY_NAMES.join(', ')}`);
  const count = readNumber('COUNT', written.get('COUNT'), MAX_COUNT, wrong);
  const parts: RruleParts = {
    freq,
    interval: readNumber('INTERVAL', written.get('INTERVAL'), MAX_INTERVAL[freq], wrong) ?? 1,
    ...(count === undefined ? {} : { count }),
    ...(until === undefined ? {} : { until }),
    bySecond: list('BYSECOND'),
    byMinute: list('BYMINUTE'),
    byHour: list('BYHOUR'),
    byDay: readDays(written.get('BYDAY'), wrong),
    byMonthDay: list('BYMONTHDAY'),
    byYearDay: list('BYYEARDAY'),
    byWeekNo: list('BYWEEKNO'),
    byMonth: list('BYMONTH'),
    bySetPos: list('BYSETPOS'),
    weekStart,
  };
  return wrong[0] ?? wrongTogether(parts) ?? parts;
}

function unknownPart(name: string): string {
  const meant = nearest(name, NAMES);
  const hint = meant === undefined ? `known are ${NAMES.join(', ')}` : `did you mean ${meant}?`;
  return `${JSON.stringify(name.slice(0, 32))} is not a part of a rule: ${hint}`;
}

function readUntil(text: string | undefined, wrong: string[]): IcalTime | undefined {
  const until = text === undefined ? undefined : readIcalTime(text);
  if (typeof until !== 'string') return until;
  wrong.push(`UNTIL ${until}`);
  return undefined;
}

function readNumber(
  name: string,
  text: string | undefined,
  most: number,
  wrong: string[],
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) wrong.push(`${name} is a whole number from 1 to ${most}`);
  return value;
}

function readList(name: keyof typeof LISTS, text: string | undefined, wrong: string[]): number[] {
  const [least, most, fromEnd] = LISTS[name];
  const values = (text?.split(',') ?? []).map((item) =>
    /^[+-]?\d{1,3}$/.test(item) ? Number(item) : Number.NaN,
  );
  const isFine = (value: number) => {
    const size = fromEnd ? Math.abs(value) : value;
    return size >= least && size <= most;
  };
  if (!values.every(isFine)) {
    const also = fromEnd ? `, or -${most} to -${least} from the end` : '';
    wrong.push(`${name} takes ${least} to ${most}${also}, joined by commas`);
  }
  return [...new Set(values)].sort((a, b) => a - b);
}

function readDays(text: string | undefined, wrong: string[]): WeekdayOf[] {
  return (text?.split(',') ?? []).map((item) => {
    const match = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(item);
    const weekday = DAY_NAMES.indexOf(match?.[2] ?? '');
    const nth = match?.[1] === undefined ? 0 : Number(match[1]);
    if (weekday < 0 || Math.abs(nth) > 53 || (match?.[1] !== undefined && nth === 0))
      wrong.push(
        `BYDAY takes ${DAY_NAMES.join(', ')}, joined by commas, with a number before for the nth: 2MO, -1FR`,
      );
    return { weekday, nth };
  });
}

/** What RFC 5545 §3.3.10 does not allow beside each other. */
function wrongTogether(parts: RruleParts): string | undefined {
  const { freq, byDay, byWeekNo, byYearDay, byMonthDay, bySetPos } = parts;
  if (parts.count !== undefined && parts.until !== undefined) return 'COUNT and UNTIL exclude each other';
  if (byWeekNo.length > 0 && freq !== 'YEARLY') return 'BYWEEKNO goes with FREQ=YEARLY only';
  if (byYearDay.length > 0 && ['DAILY', 'WEEKLY', 'MONTHLY'].includes(freq))
    return `BYYEARDAY does not go with FREQ=${freq}`;
  if (byMonthDay.length > 0 && freq === 'WEEKLY') return 'BYMONTHDAY does not go with FREQ=WEEKLY';
  if (byDay.some(({ nth }) => nth !== 0)) {
    if (freq !== 'MONTHLY' && freq !== 'YEARLY')
      return 'BYDAY: a number before a day goes with MONTHLY and YEARLY only';
    if (byWeekNo.length > 0) return 'BYDAY: a number before a day does not go with BYWEEKNO';
  }
  const others = [
    parts.bySecond,
    parts.byMinute,
    parts.byHour,
    byDay,
    byMonthDay,
    byYearDay,
    byWeekNo,
    parts.byMonth,
  ];
  if (bySetPos.length > 0 && others.every((list) => list.length === 0))
    return 'BYSETPOS needs another BY… part beside it';
  return undefined;
}
