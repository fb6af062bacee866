/** One field of a cron expression: how it is called, and what may stand in it. */
interface CronField {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** What may stand for a number, from `least` on; names have three letters. */
  readonly names: readonly string[];
  /** What it takes beside numbers, lists, ranges and steps. */
  readonly also: string;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** In the order in which they are written, seconds first. */
const FIELDS: readonly CronField[] = [
  { name: 'second', least: 0, most: 59, names: [], also: '' },
  { name: 'minute', least: 0, most: 59, names: [], also: '' },
  { name: 'hour', least: 0, most: 23, names: [], also: '' },
  {
    name: 'day of month',
    least: 1,
    most: 31,
    names: [],
    also: ', L for the last day, 15W for the weekday nearest to the 15th',
  },
  { name: 'month', least: 1, most: 12, names: MONTHS, also: ', JAN to DEC' },
  { name: 'day of week', least: 0, most: 7, names: WEEKDAYS, also: ', SUN to SAT, FRI#2, FRIL' },
];

/** Letters of a wrong field that are repeated. */
const MAX_SHOWN = 32;

/**
 * Says what is wrong with one field of a cron expression that could not be read, and what to write instead.
 * @param index its place among six fields
 */
export function explainField(index: number, written: string): string {
  const { name, least, most, names, also } = FIELDS[index] as CronField;
  for (const word of written.match(/[a-z]{3,}/gi) ?? []) {
    const place = names.indexOf(word.slice(0, 3).toUpperCase());
    if (place >= 0 && word.length > 4) return `${name}: write ${names[place]} or ${place + least}`;
  }
  const numbers = written.replace(/[a-z]{3}/gi, (word) => {
    const place = names.indexOf(word.toUpperCase());
    return place < 0 ? word : String(place + least);
  });
  // What stands after `/` or `#` counts something else.
  for (const [number] of numbers.matchAll(/(?<![\d/#])\d+/g)) {
    if (Number(number) < least || Number(number) > most)
      return `${name} ${number.slice(0, MAX_SHOWN)} is out of ${least}-${most}`;
  }
  const shown = JSON.stringify(written.slice(0, MAX_SHOWN));
  for (const [, from, to] of numbers.matchAll(/(?<![\d/#])(\d+)-(\d+)/g)) {
    if (Number(from) > Number(to)) return `${name} ${shown}: a range runs backwards, write it as two`;
  }
  return `${name} ${shown} cannot be read: it takes *, ${least}-${most}, lists (1,3), ranges (1-5), steps (*/5)${also}`;
}
