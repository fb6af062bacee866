import { occurrenceJobId, PLAN_ORIGIN, type Reason, replacedReason } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import {
  type Buffered,
  bufferKey,
  countBuffered,
  countOpen,
  type DueOccurrence,
  type DueRow,
  dueOccurrence,
  laneOf,
  lockDue,
} from './due-occurrences.ts';
import { pauseFailing } from './failing-schedules.ts';
import { foldNonRuns } from './fold-non-runs.ts';
import { toJson } from './json.ts';
import { type NewJob, writeNewJobs } from './new-job.ts';
import { type ScheduleRecord, scheduleRecord } from './schedule-record.ts';
import { isPaused } from './schedules.ts';
import { at, type Sql } from './sql.ts';

/** What becomes of a due occurrence. */
export type DispatchDecision =
  /** The job's id must be `occurrenceJobId` of this occurrence. */
  | { readonly do: 'dispatch'; readonly job: NewJob }
  | { readonly do: 'skip'; readonly reason: Reason }
  /** Ask again when no job of its lane is open; `cancel`: those that are open, and drop what waits already. */
  | { readonly do: 'buffer'; readonly reason: Reason; readonly cancel: boolean }
  /** Ask again when EVENTS is recorded up to `eventsSeq` (absent: at the next pass), or at `until`. */
  | { readonly do: 'wait'; readonly eventsSeq?: number; readonly until: number };

/** What a pass has done. */
export interface Dispatched {
  /** To be published now. */
  readonly dispatched: readonly NewJob[];
  readonly skipped: number;
  readonly waiting: number;
  readonly buffered: number;
  /** Jobs that are to be cancelled now. */
  readonly cancelled: readonly string[];
  /** How many occurrences there were. */
  readonly looked: number;
}

const NOTHING: Dispatched = {
  ...{ dispatched: [], skipped: 0, waiting: 0, buffered: 0, cancelled: [], looked: 0 },
};
const MAX_LIMIT = 500;

const DECIDE = `update occurrence o set state = x.state, reason = coalesce(x.reason, case when x.keep then o.reason end),
    job_id = x.job, lateness_ms = x.lateness, wait_events_seq = x.seq, wait_until = ${at('x.until')}
  from json_to_recordset($1::json) as x(schedule uuid, nominal float8, origin text, state text, reason jsonb, keep boolean,
    job uuid, lateness bigint, seq bigint, until float8)
  where o.schedule_id = x.schedule and o.nominal_time = ${at('x.nominal')} and o.origin = x.origin`;

// Locked in the order of their ids, which all writers of jobs keep. What an operator has retried is not the schedule's own to take back.
const CANCEL = `with open as (
    select j.id from job j join json_to_recordset($1::json) as x(schedule uuid, buffer text)
      on j.schedule_id = x.schedule and ${laneOf('j.origin')} = x.buffer
    where j.schedule_id is not null and j.finished_at is null and j.retry_of is null
    order by j.id for update of j)
  update job j set cancel_requested_at = coalesce(j.cancel_requested_at, ${at('$2')}),
    cancel_reason = coalesce(j.cancel_reason, $3)
  from open where j.id = open.id returning j.id`;

const REPLACE = `update occurrence o set state = 'skipped', reason = x.reason
  from json_to_recordset($1::json) as x(schedule uuid, nominal float8, buffer text, reason jsonb)
  where o.state = 'buffered' and o.schedule_id = x.schedule and o.nominal_time < ${at('x.nominal')}
    and ${laneOf('o.origin')} = x.buffer
  returning o.schedule_id as "scheduleId", (extract(epoch from o.nominal_time) * 1000)::float8 as "nominalTime"`;

/**
 * Decides what is due, and what has waited for a job that is over, in one transaction: locks the schedules (what another pass has
 * locked is left out), counts the open jobs of each lane, asks `decide` about one occurrence after the other, oldest first, and writes the
 * jobs and what became of the occurrences. The jobs that it returns are committed and not yet published. `decide` is pure and
 * may be asked twice.
 * @param params.recordedUpTo the EVENTS sequence up to which history is written, read before this pass
 */
export async function dispatchPass(
  db: Database,
  params: {
    now: number;
    limit: number;
    recordedUpTo: number;
    decide: (due: DueOccurrence) => DispatchDecision;
  },
): Promise<Dispatched> {
  return inside(db).transaction(async (sql) => {
    const { now, recordedUpTo } = params;
    const rows = await lockDue(sql, { now, recordedUpTo, limit: Math.min(params.limit, MAX_LIMIT) });
    if (rows.length === 0) return NOTHING;
    const schedules = await readSchedules(sql, rows, now);
    const ids = [...schedules.keys()];
    const open = await countOpen(sql, ids, now);
    const buffered = await countBuffered(sql, ids.filter(mayBuffer(schedules, rows)));
    const dispatched: NewJob[] = [];
    const counts = { skip: 0, wait: 0, buffer: 0 };
    const decided = rows.map((row) => {
      const schedule = schedules.get(row.id) ?? scheduleRecord(row);
      const key = bufferKey(row.id, row.origin);
      const before = open.get(key);
      const decision = params.decide(
        dueOccurrence(row, schedule, { open: before, buffered: buffered.get(key) }),
      );
      if (decision.do === 'dispatch') {
        const { envelope, state } = checkId(decision.job, row);
        dispatched.push(decision.job);
        open.set(key, { openJobs: (before?.openJobs ?? 0) + 1, openJob: { id: envelope.id, state } });
      } else counts[decision.do]++;
      move(buffered, key, row, decision);
      return { row, decision };
    });
    // One that is there already was published by whoever wrote it, or will be by the recorder.
    const fresh = new Set(await writeNewJobs(sql, dispatched));
    await sql.run(DECIDE, [toJson(decided.map((one) => changeOf(one, now)))]);
    const cancelled = await cancelPrevious(sql, decided, now);
    const changed = [...skippedOf(decided), ...cancelled.replaced];
    await foldNonRuns(sql, changed);
    return {
      dispatched: dispatched.filter(({ envelope }) => fresh.has(envelope.id)),
      skipped: counts.skip + cancelled.replaced.length,
      waiting: counts.wait,
      buffered: counts.buffer,
      cancelled: cancelled.jobs,
      looked: rows.length,
    };
  });
}

interface Decided {
  readonly row: DueRow;
  readonly decision: DispatchDecision;
}

/** The schedules of the rows, those paused that have failed too often. */
async function readSchedules(
  sql: Sql,
  rows: readonly DueRow[],
  now: number,
): Promise<Map<string, ScheduleRecord>> {
  const schedules = new Map(rows.map((row) => [row.id, scheduleRecord(row)]));
  const watched = [...schedules.values()].filter(
    (schedule) => schedule.definition.pauseAfterFailures !== undefined && !isPaused(schedule, now),
  );
  for (const paused of await pauseFailing(sql, { schedules: watched, now })) schedules.set(paused.id, paused);
  return schedules;
}

function mayBuffer(schedules: Map<string, ScheduleRecord>, rows: readonly DueRow[]): (id: string) => boolean {
  const own = new Set(
    rows.filter((row) => row.isBuffered || row.occurrenceOverlap !== null).map(({ id }) => id),
  );
  return (id) => {
    const overlap = schedules.get(id)?.definition.overlap;
    return own.has(id) || (overlap !== 'skip' && overlap !== 'allow');
  };
}

/** Keeps the count of those that wait. */
function move(buffered: Map<string, Buffered>, key: string, row: DueRow, decision: DispatchDecision): void {
  const { count = 0, first = row.occurrenceTime } = buffered.get(key) ?? {};
  const step = Number(decision.do === 'buffer') - Number(row.isBuffered);
  if (decision.do === 'buffer' && decision.cancel) buffered.set(key, { count: 1, first: row.occurrenceTime });
  else if (count + step > 0) buffered.set(key, { count: count + step, first });
  else buffered.delete(key);
}

function changeOf({ row, decision }: Decided, now: number) {
  const key = { schedule: row.id, nominal: row.occurrenceTime, origin: row.origin };
  switch (decision.do) {
    case 'dispatch': {
      // Nobody is late with what was asked for long after its time.
      const lateness = row.origin === PLAN_ORIGIN ? now - row.occurrenceTime : undefined;
      return { ...key, state: 'dispatched', job: decision.job.envelope.id, lateness, keep: !row.isBuffered };
    }
    case 'skip':
      return { ...key, state: 'skipped', reason: decision.reason };
    case 'buffer':
      return { ...key, state: 'buffered', reason: decision.reason };
    case 'wait':
      return { ...key, state: 'due', keep: true, seq: decision.eventsSeq, until: decision.until };
  }
}

function skippedOf(decided: readonly Decided[]) {
  return decided
    .filter(({ row, decision }) => decision.do === 'skip' && row.origin === PLAN_ORIGIN)
    .map(({ row }) => ({ scheduleId: row.id, nominalTime: row.occurrenceTime }));
}

/** Asks for the cancel of the open jobs, and drops what waited for them. */
async function cancelPrevious(sql: Sql, decided: readonly Decided[], now: number) {
  const last = new Map<string, Decided>();
  for (const one of decided) {
    if (one.decision.do === 'buffer' && one.decision.cancel)
      last.set(bufferKey(one.row.id, one.row.origin), one);
  }
  if (last.size === 0) return { jobs: [], replaced: [] };
  const rows = [...last].map(([key, { row }]) => ({
    schedule: row.id,
    nominal: row.occurrenceTime,
    buffer: key.slice(row.id.length + 1),
    reason: replacedReason(row.occurrenceTime),
  }));
  const replaced = await sql.rows<{ scheduleId: string; nominalTime: number }>(REPLACE, [toJson(rows)]);
  const jobs = await sql.rows<{ id: string }>(CANCEL, [
    toJson(rows),
    now,
    'the next run of its schedule takes its place',
  ]);
  return { jobs: jobs.map(({ id }) => id), replaced };
}

/** Another id would make a second job when the pass is repeated. */
function checkId(job: NewJob, row: DueRow): NewJob {
  const id = occurrenceJobId(row.id, row.occurrenceTime, row.origin);
  if (job.envelope.id === id) return job;
  throw new TypeError(`the job of an occurrence must have the id ${id}, not ${job.envelope.id}`);
}
