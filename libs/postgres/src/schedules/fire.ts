import { PLAN_ORIGIN } from '@jetbeat/core';
import { at, type Sql } from '../database/sql.ts';
import type { NewJob } from '../jobs/new-job.ts';
import { type DueOccurrence, isBackfill, laneOf, OPEN } from './due-occurrences.ts';
import { ownJob } from './occurrence-job.ts';
import type { PlannedOccurrence } from './plan-rows.ts';
import type { ScheduleRecord } from './schedule-record.ts';

/**
 * Makes the job of a time that has just come, while no job of its lane is open and nothing of it waits, or its runs may overlap.
 * Undefined: it is decided in the pass that decides all that is due.
 */
export type Fire = (due: DueOccurrence) => NewJob | undefined;

/** A schedule that is locked and planned, with the bytes that its definition has. */
export interface Planned {
  readonly schedule: ScheduleRecord;
  readonly bytes: number;
}

/** Jobs of one transaction. */
const LIMIT = 500;
/** What is due and not decided; with more of it all goes the usual way. */
const MAX_DUE = 1_000;

// The lanes of these schedules' own rules in which anything is open, or waits. What is due is read by its index alone: there is
// none by schedule, and a ledger is long. A backfill is no lane of these, and may be thousands.
const BUSY = `with due as materialized (
    select schedule_id from occurrence where state = 'due' and coalesce(dispatch_at, nominal_time) <= ${at('$1')}
      and not ${isBackfill('origin')} limit ${MAX_DUE})
  select schedule_id as id from job
    where schedule_id = any($2::uuid[]) and ${OPEN} and ${laneOf('origin')} = '${PLAN_ORIGIN}'
  union select schedule_id from occurrence
    where state = 'buffered' and schedule_id = any($2::uuid[]) and ${laneOf('origin')} = '${PLAN_ORIGIN}'
  union select schedule_id from due
  union select null from (select count(*) as found from due) d where d.found = ${MAX_DUE}`;

/**
 * The jobs of what has come due in time, for the transaction that plans it: so it is decided and written once, and committed
 * together. A run that may not overlap is among them only when its lane is free, which is looked up under the lock of its schedule, and
 * it is the first of its lane. What is caught up has time, and what may pause its schedule needs a look at history.
 * @param params.now Unix milliseconds
 * @param params.budget how many bytes of jobs there is room for; one may pass it
 */
export async function fireOnTime(
  sql: Sql,
  params: {
    readonly planned: ReadonlyMap<string, Planned>;
    readonly occurrences: readonly PlannedOccurrence[];
    readonly now: number;
    readonly budget: number;
    readonly fire: Fire;
  },
): Promise<Map<PlannedOccurrence, NewJob>> {
  const { planned, occurrences, now, budget, fire } = params;
  const alone = new Set<string>();
  const candidates = occurrences.flatMap((time) => {
    const known = planned.get(time.scheduleId);
    if (!known || time.state !== 'due') return [];
    const { definition } = known.schedule;
    const isFirst = !alone.has(time.scheduleId);
    if (definition.overlap !== 'allow') alone.add(time.scheduleId);
    const mayFire = isFirst && isOnTime(time, now) && definition.pauseAfterFailures === undefined;
    return mayFire ? [{ time, ...known }] : [];
  });
  const asked = candidates.map(({ time }) => time.scheduleId).filter((id) => alone.has(id));
  const busy = await busyLanes(sql, asked, now);
  const fired = new Map<PlannedOccurrence, NewJob>();
  let taken = 0;
  for (const { time, schedule, bytes } of candidates) {
    if (alone.has(schedule.id) && (busy.has(schedule.id) || busy.has(null))) continue;
    if (fired.size >= LIMIT || taken >= budget) break;
    const { nominalTime, origin, dispatchAt = nominalTime } = time;
    const job = fire({ schedule, nominalTime, origin, dispatchAt, isBuffered: false, openJobs: 0 });
    if (job === undefined) continue;
    fired.set(time, { ...ownJob(time, job), bytes });
    taken += bytes;
  }
  return fired;
}

function isOnTime(
  { nominalTime, dispatchAt = nominalTime, reason }: PlannedOccurrence,
  now: number,
): boolean {
  return reason === undefined && dispatchAt <= now;
}

/** The schedules among these that are busy; null: there is too much to tell. */
async function busyLanes(sql: Sql, ids: readonly string[], now: number): Promise<Set<string | null>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.rows<{ id: string | null }>(BUSY, [now, ids]);
  return new Set(rows.map(({ id }) => id));
}
