import type { PlannedTime, SupersededDefinition } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { foldNonRuns } from './fold-non-runs.ts';
import { toJson } from './json.ts';
import { SCHEDULE_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';
import { at, ms, type Sql } from './sql.ts';

/** One nominal time that has come, or a row of them that will not run. Times in Unix milliseconds. */
export interface PlannedOccurrence extends PlannedTime {
  readonly scheduleId: string;
  readonly origin: string;
  /** What holds for it instead of the schedule's own rule. */
  readonly overlap?: string;
}

/** A schedule after it was planned. */
export interface PlannedSchedule {
  readonly id: string;
  /** It never goes back. Unix milliseconds. */
  readonly cursor: number;
  /** Absent: it is finished. A past one: it is planned on in the next pass. Unix milliseconds. */
  readonly nextAt?: number;
  /** How many times of its own rule have come due; absent: as many as before. */
  readonly runs?: number;
  /** What is left of these. */
  readonly superseded?: readonly SupersededDefinition[];
  /** Its pause is over. */
  readonly resumed?: boolean;
  /** Why its definition cannot be read. */
  readonly problem?: string;
}

/** What is to be written for the schedules of one pass. */
export interface Plan {
  readonly occurrences: readonly PlannedOccurrence[];
  /** One for each schedule that was given. */
  readonly schedules: readonly PlannedSchedule[];
}

/** What has come due within this is planned before what is older, in milliseconds. */
const FRESH_MS = 5_000;
// Thousands that are caught up with must not make late what is on time.
const LOCK = `with fresh as materialized (
    select ${SCHEDULE_SELECT} from schedule s
    where s.next_at <= ${at('$1')} and s.next_at > ${at(`$1::float8 - ${FRESH_MS}`)}
    order by s.next_at limit $2 for update skip locked),
  old as materialized (
    select ${SCHEDULE_SELECT} from schedule s where s.next_at <= ${at(`$1::float8 - ${FRESH_MS}`)}
    order by s.next_at limit $2 - (select count(*) from fresh) for update skip locked)
  select * from fresh union all select * from old`;

// A nominal time has one row, whoever plans it, and however often.
const INSERT = `insert into occurrence (schedule_id, nominal_time, origin, state, reason, count, to_time, dispatch_at, overlap)
  select "scheduleId", ${at('"nominalTime"')}, origin, state, reason, coalesce(count, 1), ${at('"to"')},
    ${at('"dispatchAt"')}, overlap
  from json_to_recordset($1::json) as x("scheduleId" uuid, "nominalTime" float8, origin text, state text, reason jsonb,
    count integer, "to" float8, "dispatchAt" float8, overlap text)
  on conflict do nothing`;

const ADVANCE = `update schedule s set cursor_at = greatest(s.cursor_at, ${at('x.cursor')}), next_at = ${at('x."nextAt"')},
    runs = coalesce(x.runs, s.runs), superseded = x.superseded, problem = x.problem,
    finished_at = case when x."nextAt" is null then coalesce(s.finished_at, ${at('$2')}) end,
    paused_at = case when x.resumed then null else s.paused_at end,
    paused_by = case when x.resumed then null else s.paused_by end,
    pause_note = case when x.resumed then null else s.pause_note end,
    counted_from = case when x.resumed then s.paused_until else s.counted_from end,
    paused_until = case when x.resumed then null else s.paused_until end
  from json_to_recordset($1::json) as x(id uuid, cursor float8, "nextAt" float8, runs bigint, superseded jsonb,
    problem text, resumed boolean)
  where s.id = x.id`;

/** The pass that dispatches commits behind this one, so that what it publishes has its plan on disk too. */
const REPEATABLE = { durable: false };

/**
 * Plans the schedules whose next time has come, in one transaction: locks them (what another pass has locked is left out), asks
 * `plan`, writes its occurrences and moves the schedules on. `plan` is pure and may be asked twice.
 */
export async function materializePass(
  db: Database,
  params: { now: number; limit: number; plan: (schedules: readonly ScheduleRecord[]) => Plan },
): Promise<{ schedules: number; occurrences: number }> {
  return inside(db).transaction(async (sql) => {
    const rows = await sql.rows<ScheduleRow>(LOCK, [params.now, params.limit]);
    if (rows.length === 0) return { schedules: 0, occurrences: 0 };
    const plan = params.plan(rows.map(scheduleRecord));
    return { schedules: rows.length, occurrences: await writePlan(sql, plan, params.now) };
  }, REPEATABLE);
}

/** Writes a plan of schedules that are locked; returns how many rows were new. */
export async function writePlan(sql: Sql, plan: Plan, now: number): Promise<number> {
  const made = await insertOccurrences(sql, plan.occurrences);
  await foldNonRuns(
    sql,
    plan.occurrences
      .filter(({ state }) => state !== 'due')
      .map(({ scheduleId, nominalTime }) => ({ scheduleId, nominalTime })),
  );
  const schedules = plan.schedules.map(({ superseded = [], ...schedule }) =>
    superseded.length === 0 ? schedule : { ...schedule, superseded },
  );
  await sql.run(ADVANCE, [toJson(schedules), now]);
  return made;
}

/** Writes occurrences that are not there yet; returns how many were. */
async function insertOccurrences(sql: Sql, occurrences: readonly PlannedOccurrence[]): Promise<number> {
  return occurrences.length === 0 ? 0 : sql.run(INSERT, [toJson(occurrences)]);
}

/** Notes why no job can be made of a schedule; it stands there until it is planned next. */
export async function noteProblem(db: Database, params: { id: string; problem: string }): Promise<void> {
  await inside(db).run('update schedule set problem = $2 where id = $1', [params.id, params.problem]);
}

/** When the passes have something to do. */
export interface NextWake {
  /** Unix milliseconds; may be past. Undefined when never. What waits for history does not count, since nobody knows when that comes. */
  readonly at?: number;
  /** Something waits until a job has ended. */
  readonly buffered: boolean;
  /** Something waits until history has caught up. */
  readonly waiting: boolean;
}

const WAKE = `select ${ms('least(a.next, b.next)')} as at,
    exists (select from occurrence where state = 'buffered') as buffered,
    exists (select from occurrence where state = 'due' and wait_until is not null) as waiting
  from (select min(next_at) as next from schedule where next_at is not null) a,
    (select min(coalesce(dispatch_at, nominal_time)) as next from occurrence where state = 'due' and wait_until is null) b`;

/** When the passes have something to do next. */
export async function nextWake(db: Database): Promise<NextWake> {
  const row = await inside(db).row<{ at: number | null; buffered: boolean; waiting: boolean }>(WAKE);
  const { at: time = null, buffered = false, waiting = false } = row ?? {};
  return { ...(time === null ? {} : { at: time }), buffered, waiting };
}
