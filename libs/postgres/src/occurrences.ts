import type { OccurrenceState, Reason } from '@jetbeat/core';
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

type OccurrenceRow = { [K in keyof OccurrenceRecord]-?: OccurrenceRecord[K] | null } & {
  nominalTime: number;
  origin: string;
  state: OccurrenceState;
  count: number;
};

const SELECT = `${ms('o.nominal_time')} as "nominalTime", o.origin, o.state, o.reason, o.job_id as "jobId",
  o.lateness_ms::float8 as "latenessMs", o.count, ${ms('o.to_time')} as "to"`;

/** The occurrences of a schedule, newest nominal time first; `after` is the last of the page before. */
export async function listOccurrences(
  db: Database,
  params: { scheduleId: string; limit: number; after?: { nominalTime: number; origin: string } },
): Promise<OccurrenceRecord[]> {
  const { scheduleId, limit, after } = params;
  const page = after ? `and (o.nominal_time, o.origin) < (${at('$3')}, $4)` : '';
  const rows = await inside(db).rows<OccurrenceRow>(
    `select ${SELECT} from occurrence o where o.schedule_id = $1 ${page}
     order by o.nominal_time desc, o.origin desc limit $2`,
    [scheduleId, limit, ...(after ? [after.nominalTime, after.origin] : [])],
  );
  return rows.map(toRecord);
}

/** The newest occurrence of each of these schedules, where there is one. */
export async function lastOccurrences(
  db: Database,
  scheduleIds: readonly string[],
): Promise<Map<string, OccurrenceRecord>> {
  const rows = await inside(db).rows<OccurrenceRow & { schedule: string }>(
    `select wanted.id as schedule, last.* from unnest($1::uuid[]) as wanted(id), lateral (
       select ${SELECT} from occurrence o where o.schedule_id = wanted.id
       order by o.nominal_time desc, o.origin desc limit 1) last`,
    [scheduleIds],
  );
  return new Map(rows.map(({ schedule, ...row }) => [schedule, toRecord(row)]));
}

function toRecord(row: OccurrenceRow): OccurrenceRecord {
  const { nominalTime, origin, state, count, ...optional } = row;
  return { nominalTime, origin, state, count, ...(known(optional) as Partial<OccurrenceRecord>) };
}
