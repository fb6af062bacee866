import { type OccurrenceState, PLAN_ORIGIN, type Reason } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { known } from '../database/json.ts';
import { at, ms } from '../database/sql.ts';
import type { Total } from '../jobs/count-jobs.ts';
import { countNewest } from '../jobs/count-newest.ts';
import { binder } from '../jobs/walk-jobs.ts';

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
  const { scheduleId, limit, after } = params;
  const { values, bind } = binder([scheduleId, limit]);
  const { walk, fits } = conditionsOf(params, bind);
  const where = [...walk, ...fits];
  if (after)
    where.push(`(o.nominal_time, o.origin) < (${at(bind(after.nominalTime))}, ${bind(after.origin)})`);
  const rows = await inside(db).rows<OccurrenceRow>(
    `select ${OCCURRENCE_SELECT} from occurrence o where ${where.join(' and ')} order by ${NEWEST} limit $2`,
    values,
  );
  return rows.map(occurrenceRecord);
}

/** How many of them fit, as far as that is cheap to tell. */
export function countOccurrences(
  db: Database,
  filter: Omit<ListOccurrencesParams, 'limit' | 'after'>,
): Promise<Total> {
  const { values, bind } = binder([filter.scheduleId]);
  return countNewest(db, { from: 'occurrence o', ...conditionsOf(filter, bind), order: NEWEST, values });
}

const NEWEST = 'o.nominal_time desc, o.origin desc';

/** The schedule is $1. */
function conditionsOf(
  { origin, states, from, to }: Omit<ListOccurrencesParams, 'limit' | 'after'>,
  bind: (value: unknown) => string,
): { walk: string[]; fits: string[] } {
  const walk = ['o.schedule_id = $1'];
  const fits: string[] = [];
  if (states !== undefined) fits.push(`o.state = any(${bind(states)}::text[])`);
  if (origin !== undefined) {
    const whole = origin === PLAN_ORIGIN || origin.includes(':');
    fits.push(whole ? `o.origin = ${bind(origin)}` : `o.origin like ${bind(`${origin}:%`)}`);
  }
  if (to !== undefined) walk.push(`o.nominal_time <= ${at(bind(to))}`);
  if (from !== undefined) {
    const since = at(bind(from));
    fits.push(`coalesce(o.to_time, o.nominal_time) >= ${since}`);
    walk.push(`o.nominal_time >= coalesce((select min(r.nominal_time) from (
      select p.nominal_time, p.to_time from occurrence p where p.schedule_id = $1 and p.nominal_time < ${since}
      order by p.nominal_time desc limit ${REACHING}) r where r.to_time >= ${since}), ${since})`);
  }
  return { walk, fits };
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
