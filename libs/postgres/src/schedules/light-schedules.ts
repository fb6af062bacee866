import type { Sql } from '../database/sql.ts';
import { SCHEDULE_REST, type ScheduleRow } from './schedule-record.ts';

/** What a transaction takes into memory of definitions, and of inputs, in bytes of their text; one of them may pass it. */
export const MAX_PASS_BYTES = 16 * 1024 ** 2;

/** A schedule without its definition where that is heavy. */
export type LightSchedule = ScheduleRow & {
  /** Its definition, and what was superseded, are to be read by `readWhole`. */
  readonly isHeavy: boolean;
  /** How many bytes they are; of what is heavy, at most. */
  readonly bytes: number;
};

/** A definition, with the bytes that it takes. */
export type WholeSchedule = ScheduleRow & { readonly bytes: number };

/** What is stored so, is neither compressed nor elsewhere: PostgreSQL compresses rows of more than 2 kB. */
const LIGHT_BYTES = 8_192;
/** What the API takes of an input, and how much smaller PostgreSQL makes a value at best (pglz: 273 bytes in 3). */
const [MAX_BYTES, MOST_COMPRESSED] = [1024 ** 2, 100];

/** SQL: whether a jsonb column is small, without reading it where it is not. */
export function isLight(column: string): string {
  return `(pg_column_compression(${column}) is null and pg_column_size(${column}) <= ${LIGHT_BYTES})`;
}

/** SQL: how many bytes of text a jsonb column has, at most, where the API limits them; it is not read for that. */
export function weightOf(column: string): string {
  return weighed(column, `greatest(${sizeOf(column)}, least(${MAX_BYTES}, ${inflated(column)}))`);
}

/** The same of a list that has no limit: one entry for each edit until the next pass. */
function listWeightOf(column: string): string {
  return weighed(column, inflated(column));
}

const sizeOf = (column: string) => `pg_column_size(${column})`;
const inflated = (column: string) => `${MOST_COMPRESSED}::bigint * ${sizeOf(column)}`;
const weighed = (column: string, heavy: string) =>
  `(case when ${column} is null then 0 when ${isLight(column)} then ${sizeOf(column)} else ${heavy} end)`;

const LIGHT = `(${isLight('s.definition')} and (s.superseded is null or ${isLight('s.superseded')}))`;

/** What to select for a `LightSchedule`, of the table alias `s`. */
export const LIGHT_SELECT = `${SCHEDULE_REST}, case when ${LIGHT} then s.definition end as definition,
  case when ${LIGHT} then s.superseded end as superseded, not ${LIGHT} as "isHeavy",
  (${weightOf('s.definition')} + ${listWeightOf('s.superseded')})::float8 as bytes`;

const HEAVY = `select s.id, s.definition::text as definition, s.superseded::text as superseded
  from schedule s where s.id = any($1::uuid[])`;

/**
 * Reads the definitions that are heavy, in the given order, until they are `budget` bytes: memory has an end, and inputs may have
 * a megabyte each. At least one is read; those behind the last one are left out.
 */
export async function readWhole(
  sql: Sql,
  rows: readonly LightSchedule[],
  budget = MAX_PASS_BYTES,
): Promise<WholeSchedule[]> {
  const whole: WholeSchedule[] = [];
  let bytes = 0;
  while (whole.length < rows.length && bytes < budget) {
    const some: LightSchedule[] = [];
    for (let most = bytes; most < budget; ) {
      const row = rows[whole.length + some.length];
      if (!row) break;
      some.push(row);
      most += row.bytes;
    }
    const heavy = await readHeavy(sql, some);
    for (const row of some) {
      const found = heavy.get(row.id) ?? row;
      whole.push(found);
      bytes += found.bytes;
    }
  }
  return whole;
}

async function readHeavy(sql: Sql, rows: readonly LightSchedule[]): Promise<Map<string, WholeSchedule>> {
  const heavy = new Map(rows.filter(({ isHeavy }) => isHeavy).map((row) => [row.id, row]));
  if (heavy.size === 0) return new Map();
  type Texts = { id: string; definition: string; superseded: string | null };
  const texts = await sql.rows<Texts>(HEAVY, [[...heavy.keys()]]);
  const read = new Map<string, WholeSchedule>();
  for (const { id, definition, superseded } of texts) {
    const row = heavy.get(id);
    if (!row) continue;
    read.set(id, {
      ...row,
      definition: JSON.parse(definition) as unknown,
      superseded:
        superseded === null ? null : (JSON.parse(superseded) as NonNullable<ScheduleRow['superseded']>),
      bytes: definition.length + (superseded?.length ?? 0),
    });
  }
  return read;
}
