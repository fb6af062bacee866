import { type OccurrenceState, PLAN_ORIGIN, type Reason } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { known } from './json.ts';
import { at, ms } from './sql.ts';

/** What became of one nominal time, or of a row of equal ones. Times in Unix milliseconds. */
export interface OccurrenceRecord {
  readonly nominalTime: number;
  readonly origin: string;
  readonly state: OccurrenceState;
  readonly reason?: Reason;
  readonly jobId?: string;
  /** How long after its nominal time it was dispatched. */
  readonly latenessMs?: number;
  /** How many nominal times this row stands for; with more than one, `to` is the last. */
  readonly count: number;
  readonly to?: number;
}

/** A row of `OCCURRENCE_SELECT`. */
export type OccurrenceRow = { [K in keyof OccurrenceRecord]-?: OccurrenceRecord[K] | null } & {
  nominalTime: number;
  origin: string;
  state: OccurrenceState;
  count: number;
};

/** What to select for an `OccurrenceRow`, of the table alias `o`. */
export const OCCURRENCE_SELECT = `${ms('o.nominal_time')} as "nominalTime", o.origin, o.state, o.reason, o.job_id as "jobId",
  o.lateness_ms::float8 as "latenessMs", o.count, ${ms('o.to_time')} as "to"`;

/** Which occurrences of a schedule to list. Times in Unix milliseconds. */
export interface ListOccurrencesParams {
  readonly scheduleId: string;
  /** Those of this time or later; a row that stands for many is there when one of them is. */
  readonly from?: number;
  /** Those up to this time, itself included. */
  readonly to?: number;
  readonly states?: readonly OccurrenceState[];
  /** A whole origin, or the part of it before the `:`. */
  readonly origin?: string;
  readonly limit: number;
  /** The last one of the page before. */
  readonly after?: { readonly nominalTime: number; readonly origin: string };
}

// A row that stands for many begins before them. Such rows do not overlap, so that the one which reaches into a time is among
// the last few that begin before it, and not all of the past must be read.
const REACHING = 20;

/** The occurrences of a schedule, newest nominal time first. */
export async function listOccurrences(
  db: Database,
  params: ListOccurrencesParams,
): Promise<OccurrenceRecord[]> {
  const { scheduleId, limit, after, origin, states, from, to } = params;
  const values: unknown[] = [scheduleId, limit];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = ['o.schedule_id = $1'];
  if (after)
    where.push(`(o.nominal_time, o.origin) < (${at(bind(after.nominalTime))}, ${bind(after.origin)})`);
  if (states !== undefined) where.push(`o.state = any(${bind(states)}::text[])`);
  if (origin !== undefined) {
    const whole = origin === PLAN_ORIGIN || origin.includes(':');
    where.push(whole ? `o.origin = ${bind(origin)}` : `o.origin like ${bind(`${origin}:%`)}`);
  }
  if (to !== undefined) where.push(`o.nominal_time <= ${at(bind(to))}`);
  if (from !== undefined) {
    const since = at(bind(from));
    where.push(`coalesce(o.to_time, o.nominal_time) >= ${since}`);
    where.push(`o.nominal_time >= coalesce((select min(r.nominal_time) from (
      select p.nominal_time, p.to_time from occurrence p where p.schedule_id = $1 and p.nominal_time < ${since}
      order by p.nominal_time desc limit ${REACHING}) r where r.to_time >= ${since}), ${since})`);
  }
  const rows = await inside(db).rows<OccurrenceRow>(
    `select ${OCCURRENCE_SELECT} from occurrence o where ${where.join(' and ')}
     order by o.nominal_time desc, o.origin desc limit $2`,
    values,
  );
  return rows.map(occurrenceRecord);
}

/** The newest occurrence of each of these schedules, where there is one. */
export async function lastOccurrences(
  db: Database,
  scheduleIds: readonly string[],
): Promise<Map<string, OccurrenceRecord>> {
  const rows = await inside(db).rows<OccurrenceRow & { schedule: string }>(
    `select wanted.id as schedule, last.* from unnest($1::uuid[]) as wanted(id), lateral (
       select ${OCCURRENCE_SELECT} from occurrence o where o.schedule_id = wanted.id
       order by o.nominal_time desc, o.origin desc limit 1) last`,
    [scheduleIds],
  );
  return new Map(rows.map(({ schedule, ...row }) => [schedule, occurrenceRecord(row)]));
}

/** Reads a row. */
export function occurrenceRecord(row: OccurrenceRow): OccurrenceRecord {
  const { nominalTime, origin, state, count, ...optional } = row;
  return { nominalTime, origin, state, count, ...(known(optional) as Partial<OccurrenceRecord>) };
}
