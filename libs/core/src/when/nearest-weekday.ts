import { type CivilDay, modulo } from './civil.ts';

/** A day of the month of which the nearest weekday (Monday to Friday) is meant: `15W`, or `LW` for the last one of the month. */
type Target = number | 'L';

/** What a day-of-month field says with `W`, and what remains of it for those who do not know `W`. */
export interface NearestWeekdays {
  readonly matches: (date: CivilDay) => boolean;
  /** The other items of the list; empty when there is none. */
  readonly rest: string;
}

/**
 * Takes the items with `W` out of a day-of-month field, as Quartz knows them: `15W` is the weekday nearest to the 15th within
 * its month (Saturday goes back, Sunday goes on), and where the month has no such day there is none.
 * @returns undefined when the field has no such item
 */
export function readNearestWeekdays(field: string): NearestWeekdays | undefined {
  const items = field.split(',');
  const targets = items.map(readTarget).filter((target) => target !== undefined);
  if (targets.length === 0) return undefined;
  return {
    matches: (date) => targets.some((target) => nearestWeekday(target, date) === date.day),
    rest: items.filter((item) => readTarget(item) === undefined).join(','),
  };
}

function readTarget(item: string): Target | undefined {
  const match = /^(L|\d{1,2})W$/i.exec(item);
  if (!match?.[1]) return undefined;
  if (!/\d/.test(match[1])) return 'L';
  const day = Number(match[1]);
  return day >= 1 && day <= 31 ? day : undefined;
}

/** The day of the month of `date` that is the weekday nearest to `target`, if that month has such a day. */
function nearestWeekday(target: Target, { day, weekday, monthLength }: CivilDay): number | undefined {
  const wanted = target === 'L' ? monthLength : target;
  if (wanted > monthLength) return undefined;
  const falls = modulo(weekday + wanted - day, 7);
  if (falls === 6) return wanted === 1 ? 3 : wanted - 1;
  if (falls === 0) return wanted === monthLength ? wanted - 2 : wanted + 1;
  return wanted;
}
