import {
  type Asker,
  bufferOf,
  type EarlierJob,
  type JobState,
  ORIGIN_PREFIXES,
  type OverlapRule,
  PLAN_ORIGIN,
  type Reason,
} from '@jetbeat/core';
import { toJson } from '../database/json.ts';
import { at, ms, type Sql } from '../database/sql.ts';
import { isLight, weightOf } from './light-schedules.ts';
import type { ScheduleRecord } from './schedule-record.ts';
import { BACKFILL_SHARE } from './take-turns.ts';

/** An occurrence that is to be decided, while its schedule is locked. Times in Unix milliseconds. */
export interface DueOccurrence {
  readonly schedule: ScheduleRecord;
  readonly nominalTime: number;
  readonly origin: string;
  /** When it was to be dispatched. */
  readonly dispatchAt: number;
  /** Whether it has waited until no job of its lane is open. */
  readonly isBuffered: boolean;
  /** Why it is late, where that is known. */
  readonly reason?: Reason;
  /** What holds instead of the schedule's own rule. */
  readonly overlap?: OverlapRule;
  /** Its own input, instead of the schedule's. */
  readonly input?: { readonly value: unknown };
  /** Who asked for it, where that is not its plan. */
  readonly requestedBy?: Asker;
  /** The jobs of its lane that are neither over nor past their total limit, those of this pass included. */
  readonly openJobs: number;
  /** One of them. */
  readonly openJob?: EarlierJob;
  /** How many wait, of its own rule or backfill; `first` is the nominal time of the first. */
  readonly buffered?: Buffered;
  /** What an earlier decision to wait named. */
  readonly waitedForSeq?: number;
  readonly waitUntil?: number;
}

/** What is open of a lane. */
export type Open = Pick<DueOccurrence, 'openJobs' | 'openJob'>;
/** What waits until no job is open. */
export interface Buffered {
  readonly count: number;
  readonly first: number;
}

/** What is locked, without what may be large: the definition of its schedule, and an input. */
export interface DueRow {
  readonly scheduleId: string;
  readonly nominalTime: number;
  readonly origin: string;
  readonly dispatchAt: number;
  readonly isBuffered: boolean;
  readonly reason: Reason | null;
  readonly overlap: OverlapRule | null;
  readonly requestedBy: Asker | null;
  readonly hasInput: boolean;
  /** Its own input, unless it is heavy. */
  readonly input: unknown;
  /** It is heavy, and to be read by `readInputs`. */
  readonly isHeavy: boolean;
  /** How many bytes its own input has at most. */
  readonly inputBytes: number;
  readonly waitedForSeq: number | null;
  readonly waitUntil: number | null;
}

/** Whether a column holds the origin of a backfill, in SQL. */
export function isBackfill(column: string): string {
  return `${column} like '${ORIGIN_PREFIXES.backfill}%'`;
}

/** `bufferOf` in SQL, of a column that holds an origin. */
export function laneOf(column: string): string {
  return `case when ${isBackfill(column)} then ${column} else '${PLAN_ORIGIN}' end`;
}

const SELECT = `select o.schedule_id as "scheduleId", ${ms('o.nominal_time')} as "nominalTime", o.origin,
    ${ms('coalesce(o.dispatch_at, o.nominal_time)')} as "dispatchAt", o.state = 'buffered' as "isBuffered",
    o.reason, o.overlap, o.requested_by as "requestedBy", o.has_input as "hasInput", case when ${isLight('o.input')} then o.input end as input,
    o.has_input and not ${isLight('o.input')} as "isHeavy", ${weightOf('o.input')}::float8 as "inputBytes",
    o.wait_events_seq::float8 as "waitedForSeq", ${ms('o.wait_until')} as "waitUntil"
  from occurrence o join schedule s on s.id = o.schedule_id`;

const isDue = (
  which: string,
) => `o.state = 'due' and ${which} and coalesce(o.dispatch_at, o.nominal_time) <= ${at('$1')}
    and (o.wait_until is null or o.wait_until <= ${at('$1')} or coalesce(o.wait_events_seq, 0) <= $2::float8)`;

// The occurrence is locked too: a pass that ended while this one began has changed it, and only a locked row is looked at
// again. Those that wait come last, so that they keep nobody off the limit.
const lock = (which: string, limit: string) => `${SELECT} where ${isDue(which)}
  order by o.wait_until is not null, coalesce(o.dispatch_at, o.nominal_time), o.nominal_time limit ${limit}
  for update of s, o skip locked`;

// A backfill may be thousands, all older than what comes due meanwhile: it gets its share, and what that leaves.
const LOCK_DUE = `with live as materialized (${lock(
  `not ${isBackfill('o.origin')}`,
  `$3 - (select count(*) from (select from occurrence o where ${isDue(isBackfill('o.origin'))} limit $4) b)`,
)}),
  filled as materialized (${lock(isBackfill('o.origin'), '$3 - (select count(*) from live)')})
  select * from live union all select * from filled`;

/** Of a job: whether it is open at `$1`. */
export const OPEN = `schedule_id is not null and finished_at is null and total_limit_at > ${at('$1')}`;

// The first of each lane that has no open job; whether it still has none is asked again when it is locked.
const LOCK_BUFFERED = `${SELECT}
  join (select w.id, f.nominal_time, f.origin
    from (select distinct schedule_id as id, ${laneOf('origin')} as lane from occurrence where state = 'buffered') w,
      lateral (select b.nominal_time, b.origin from occurrence b where b.state = 'buffered' and b.schedule_id = w.id
          and ${laneOf('b.origin')} = w.lane
        order by b.nominal_time, b.origin limit 1) f
    where not exists (select from job where job.schedule_id = w.id and ${laneOf('job.origin')} = w.lane and ${OPEN})
    limit $2) first on first.id = o.schedule_id and first.nominal_time = o.nominal_time and first.origin = o.origin
  where o.state = 'buffered'
  for update of s, o skip locked`;

/**
 * Locks what is to be decided, and its schedules; what another pass has locked is left out. Those that have waited for a job come first, and
 * last those that wait for history.
 * @param params.buffered whether any waits for the end of a job
 */
export async function lockDue(
  sql: Sql,
  params: { now: number; recordedUpTo: number; limit: number; buffered: boolean },
): Promise<DueRow[]> {
  const { now, recordedUpTo, limit, buffered } = params;
  const waited = buffered ? await sql.rows<DueRow>(LOCK_BUFFERED, [now, limit]) : [];
  const share = Math.floor(limit * BACKFILL_SHARE);
  const found = await sql.rows<DueRow>(LOCK_DUE, [now, recordedUpTo, limit, share]);
  return [...waited, ...found];
}

const COUNT_OPEN = `select schedule_id as id, ${laneOf('origin')} as origin, count(*)::float8 as open, min(state || ' ' || id) as one
  from job where schedule_id = any($2::uuid[]) and ${OPEN} group by 1, 2`;

/** How many jobs are open of each lane of these schedules that has any, by `bufferKey`. @param now Unix milliseconds */
export async function countOpen(sql: Sql, ids: readonly string[], now: number): Promise<Map<string, Open>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.rows<{ id: string; origin: string; open: number; one: string }>(COUNT_OPEN, [
    now,
    ids,
  ]);
  return new Map(
    rows.map(({ id, origin, open, one }) => {
      const [state, job = ''] = one.split(' ');
      return [bufferKey(id, origin), { openJobs: open, openJob: { id: job, state: state as JobState } }];
    }),
  );
}

const COUNT_BUFFERED = `select schedule_id as id, origin, count(*)::float8 as count, ${ms('min(nominal_time)')} as first
  from occurrence where state = 'buffered' and schedule_id = any($1::uuid[]) group by 1, 2`;

/** How many occurrences wait, by `bufferKey`. */
export async function countBuffered(sql: Sql, ids: readonly string[]): Promise<Map<string, Buffered>> {
  const found = new Map<string, Buffered>();
  if (ids.length === 0) return found;
  const rows = await sql.rows<{ id: string; origin: string } & Buffered>(COUNT_BUFFERED, [ids]);
  for (const { id, origin, count, first } of rows) {
    const key = bufferKey(id, origin);
    const before = found.get(key) ?? { count: 0, first };
    found.set(key, { count: before.count + count, first: Math.min(first, before.first) });
  }
  return found;
}

/** The lane of an occurrence: which of them wait in one row, and for whose jobs. */
export function bufferKey(scheduleId: string, origin: string): string {
  return `${scheduleId} ${bufferOf(origin)}`;
}

const INPUTS = `select o.schedule_id as "scheduleId", ${ms('o.nominal_time')} as "nominalTime", o.origin, o.input
  from json_to_recordset($1::json) as x("scheduleId" uuid, "nominalTime" float8, origin text)
  join occurrence o on o.schedule_id = x."scheduleId" and o.nominal_time = ${at('x."nominalTime"')} and o.origin = x.origin`;

/** Reads the inputs of the rows that are heavy. */
export async function readInputs(sql: Sql, rows: readonly DueRow[]): Promise<DueRow[]> {
  const heavy = rows.filter(({ isHeavy }) => isHeavy);
  if (heavy.length === 0) return [...rows];
  const keys = heavy.map(({ scheduleId, nominalTime, origin }) => ({ scheduleId, nominalTime, origin }));
  const found = await sql.rows<Pick<DueRow, 'scheduleId' | 'nominalTime' | 'origin' | 'input'>>(INPUTS, [
    toJson(keys),
  ]);
  const inputs = new Map(found.map((row) => [keyOf(row), row.input]));
  return rows.map((row) => (row.isHeavy ? { ...row, input: inputs.get(keyOf(row)) } : row));
}

function keyOf({ scheduleId, nominalTime, origin }: Pick<DueRow, 'scheduleId' | 'nominalTime' | 'origin'>) {
  return `${scheduleId} ${nominalTime} ${origin}`;
}

/** Puts together what is asked about. */
export function dueOccurrence(
  row: DueRow,
  schedule: ScheduleRecord,
  around: { open: Open | undefined; buffered: Buffered | undefined },
): DueOccurrence {
  const { nominalTime, origin, dispatchAt, isBuffered, reason, overlap, requestedBy } = row;
  const { hasInput, input, waitedForSeq, waitUntil } = row;
  return {
    schedule,
    nominalTime,
    origin,
    dispatchAt,
    isBuffered,
    ...(around.open ?? { openJobs: 0 }),
    ...(around.buffered === undefined ? {} : { buffered: around.buffered }),
    // Of one that has waited it says why it did, which is over.
    ...(reason === null || isBuffered ? {} : { reason }),
    ...(overlap === null ? {} : { overlap }),
    ...(requestedBy === null ? {} : { requestedBy }),
    ...(hasInput ? { input: { value: input } } : {}),
    ...(waitedForSeq === null ? {} : { waitedForSeq }),
    ...(waitUntil === null ? {} : { waitUntil }),
  };
}
