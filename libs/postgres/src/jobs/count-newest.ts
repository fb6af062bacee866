import { type Database, inside } from '../database/database.ts';
import type { Total } from './count-jobs.ts';

/** Nobody pages through more for one number. */
const MOST = 10_000;

/**
 * Counts, among the newest rows of a walk, those that fit: however many there are, no more than these are looked at.
 * @param rows.walk what its index tells
 * @param rows.fits what is looked at of each row
 */
export async function countNewest(
  db: Database,
  rows: {
    readonly from: string;
    readonly walk: readonly string[];
    readonly fits: readonly string[];
    readonly order: string;
    readonly values: readonly unknown[];
  },
): Promise<Total> {
  const { from, walk, fits, order, values } = rows;
  const row = await inside(db).row<{ looked: number; value: number }>(
    `select count(*)::int as looked, (count(*) filter (where l.fits))::int as value
     from (select (${all(fits)}) as fits from ${from} where ${all(walk)} order by ${order} limit ${MOST + 1}) l`,
    values,
  );
  const { looked = 0, value = 0 } = row ?? {};
  return { value: Math.min(value, MOST), capped: looked > MOST };
}

function all(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'true' : conditions.join(' and ');
}
