import { type OverlapRule, PLAN_ORIGIN } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { type NewJob, writeNewJobs } from '../jobs/new-job.ts';
import { cancelPrevious } from './cancel-previous.ts';
import { type Decided, type DispatchDecision, writeDecided } from './decided.ts';
import {
  type Buffered,
  bufferKey,
  countBuffered,
  countOpen,
  type DueOccurrence,
  type DueRow,
  dueOccurrence,
  lockDue,
  readInputs,
} from './due-occurrences.ts';
import { pauseFailing } from './failing-schedules.ts';
import { foldNonRuns } from './fold-non-runs.ts';
import { LIGHT_SELECT, type LightSchedule, MAX_PASS_BYTES, readWhole } from './light-schedules.ts';
import { ownJob } from './occurrence-job.ts';
import { type ScheduleRecord, scheduleRecord } from './schedule-record.ts';
import { isPaused } from './schedules.ts';
import { oldestFirst, takeTurns } from './take-turns.ts';

/** What a pass has done. */
export interface Dispatched {
  /** To be published now. */
  readonly dispatched: readonly NewJob[];
  readonly skipped: number;
  readonly waiting: number;
  readonly buffered: number;
  /** Jobs that are to be cancelled now. */
  readonly cancelled: readonly string[];
  /** How many occurrences were decided. */
  readonly looked: number;
  /** More were due than fit into memory. */
  readonly cut: boolean;
}

const NOTHING: Dispatched = {
  dispatched: [],
  skipped: 0,
  waiting: 0,
  buffered: 0,
  cancelled: [],
  looked: 0,
  cut: false,
};
const MAX_LIMIT = 500;

/**
 * Decides what is due, and what has waited for a job that is over, in one transaction: locks the schedules (what another pass has
 * locked is left out), counts the open jobs of each lane, asks `decide` about one occurrence after the other, oldest first, and writes the
 * jobs and what became of the occurrences. The jobs that it returns are committed and not yet published. `decide` is pure and
 * may be asked twice. What would take more memory than there is stays due.
 * @param params.recordedUpTo the EVENTS sequence up to which history is written, read before this pass
 * @param params.buffered false: nothing waits for the end of a job
 * @param params.budget how many bytes of definitions, and of jobs, there is room for; one may pass it
 */
export async function dispatchPass(
  db: Database,
  params: {
    now: number;
    limit: number;
    recordedUpTo: number;
    buffered?: boolean;
    budget?: number;
    decide: (due: DueOccurrence) => DispatchDecision;
  },
): Promise<Dispatched> {
  return inside(db).transaction(async (sql) => {
    const { now, recordedUpTo, buffered: looked = true, budget = MAX_PASS_BYTES } = params;
    const limit = Math.min(params.limit, MAX_LIMIT);
    const locked = await lockDue(sql, { now, recordedUpTo, limit, buffered: looked });
    if (locked.length === 0) return NOTHING;
    const { rows, weights, schedules } = await readDue(sql, locked, { now, budget });
    const open = await countOpen(sql, idsOf(rows, schedules, mayBeOpen), now);
    const buffered = await countBuffered(sql, idsOf(rows, schedules, mayBuffer));
    const dispatched: NewJob[] = [];
    const counts = { skip: 0, wait: 0, buffer: 0 };
    const decided = rows.flatMap((row) => {
      const schedule = schedules.get(row.scheduleId);
      if (!schedule) return [];
      const key = bufferKey(row.scheduleId, row.origin);
      const before = open.get(key);
      const decision = params.decide(
        dueOccurrence(row, schedule, { open: before, buffered: buffered.get(key) }),
      );
      if (decision.do === 'dispatch') {
        const { envelope, state } = ownJob(row, decision.job);
        dispatched.push({ ...decision.job, bytes: weightIn(weights, row) });
        open.set(key, { openJobs: (before?.openJobs ?? 0) + 1, openJob: { id: envelope.id, state } });
      } else counts[decision.do]++;
      move(buffered, key, row, decision);
      return [{ row, decision }];
    });
    // One that is there already was published by whoever wrote it, or will be by the recorder.
    const fresh = new Set(await writeNewJobs(sql, dispatched));
    await writeDecided(sql, decided, now);
    const cancelled = await cancelPrevious(sql, decided, now);
    const changed = [...skippedOf(decided), ...cancelled.replaced];
    await foldNonRuns(sql, changed);
    return {
      dispatched: dispatched.filter(({ envelope }) => fresh.has(envelope.id)),
      skipped: counts.skip + cancelled.replaced.length,
      waiting: counts.wait,
      buffered: counts.buffer,
      cancelled: cancelled.jobs,
      looked: decided.length,
      cut: rows.length < locked.length,
    };
  });
}

const SCHEDULES = `select ${LIGHT_SELECT} from schedule s where s.id = any($1::uuid[])`;

/** As many rows as there is room for, oldest first, and their schedules, those paused that have failed too often. */
async function readDue(
  sql: Sql,
  locked: readonly DueRow[],
  { now, budget }: { now: number; budget: number },
): Promise<{ rows: DueRow[]; weights: Map<string, number>; schedules: Map<string, ScheduleRecord> }> {
  const ids = [...new Set(locked.map(({ scheduleId }) => scheduleId))];
  const light = new Map((await sql.rows<LightSchedule>(SCHEDULES, [ids])).map((row) => [row.id, row]));
  // Where a run has an input of its own, its schedule is read too.
  const weigh = (row: DueRow) => row.inputBytes + (light.get(row.scheduleId)?.bytes ?? 0);
  const inTurn = takeTurns(locked, { weigh, budget });
  const first = [...new Set(inTurn.map(({ scheduleId }) => scheduleId))];
  const whole = await readWhole(
    sql,
    first.map((id) => light.get(id)).filter((row) => row !== undefined),
    budget,
  );
  const weights = new Map(whole.map(({ id, bytes }) => [id, bytes]));
  const schedules = new Map(whole.map((row) => [row.id, scheduleRecord(row)]));
  // Each of them may become a job, with an input of its own.
  const rows: DueRow[] = [];
  let bytes = 0;
  for (const row of inTurn) {
    if (!weights.has(row.scheduleId) || bytes >= budget) break;
    rows.push(row);
    bytes += weightIn(weights, row);
  }
  const watched = [...schedules.values()]
    .filter((schedule) => schedule.definition.pauseAfterFailures !== undefined && !isPaused(schedule, now))
    .map(({ id, definition }) => ({ id, count: definition.pauseAfterFailures }));
  for (const { id, paused } of await pauseFailing(sql, { schedules: watched, now })) {
    const schedule = schedules.get(id);
    if (schedule && paused) schedules.set(id, { ...schedule, paused });
  }
  return { rows: await readInputs(sql, rows.toSorted(oldestFirst)), weights, schedules };
}

/** The bytes of the job that a row may become. */
function weightIn(weights: ReadonlyMap<string, number>, { hasInput, inputBytes, scheduleId }: DueRow) {
  return hasInput ? inputBytes : (weights.get(scheduleId) ?? 0);
}

/** The schedules of those rows that are so. */
function idsOf(
  rows: readonly DueRow[],
  schedules: ReadonlyMap<string, ScheduleRecord>,
  is: (row: DueRow, rule: OverlapRule) => boolean,
): string[] {
  const found = rows.filter((row) => {
    const schedule = schedules.get(row.scheduleId);
    return schedule !== undefined && is(row, row.overlap ?? schedule.definition.overlap);
  });
  return [...new Set(found.map(({ scheduleId }) => scheduleId))];
}

/** Whether it matters what is open: to runs that may overlap it does not, unless they have waited already. */
function mayBeOpen({ isBuffered }: DueRow, rule: OverlapRule): boolean {
  return isBuffered || rule !== 'allow';
}

function mayBuffer({ isBuffered, overlap }: DueRow, rule: OverlapRule): boolean {
  return isBuffered || overlap !== null || (rule !== 'skip' && rule !== 'allow');
}

/** Keeps the count of those that wait. */
function move(buffered: Map<string, Buffered>, key: string, row: DueRow, decision: DispatchDecision): void {
  const { count = 0, first = row.nominalTime } = buffered.get(key) ?? {};
  const step = Number(decision.do === 'buffer') - Number(row.isBuffered);
  if (decision.do === 'buffer' && decision.cancel) buffered.set(key, { count: 1, first: row.nominalTime });
  else if (count + step > 0) buffered.set(key, { count: count + step, first });
  else buffered.delete(key);
}

function skippedOf(decided: readonly Decided[]) {
  return decided
    .filter(({ row, decision }) => decision.do === 'skip' && row.origin === PLAN_ORIGIN)
    .map(({ row }) => ({ scheduleId: row.scheduleId, nominalTime: row.nominalTime }));
}
