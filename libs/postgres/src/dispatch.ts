import { type EarlierJob, type JobState, occurrenceJobId, type Reason } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { toJson } from './json.ts';
import { type NewJob, writeNewJobs } from './new-job.ts';
import { SCHEDULE_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';
import { at, ms, type Sql } from './sql.ts';

/** An occurrence that is to be decided, while its schedule is locked. Times in Unix milliseconds. */
export interface DueOccurrence {
  readonly schedule: ScheduleRecord;
  readonly nominalTime: number;
  readonly origin: string;
  /** The schedule's jobs that are neither over nor past their total limit, those of this pass included. */
  readonly openJobs: number;
  /** One of them. */
  readonly openJob?: EarlierJob;
  /** What an earlier decision to wait named. */
  readonly waitedForSeq?: number;
  readonly waitUntil?: number;
}

/** What becomes of a due occurrence. */
export type DispatchDecision =
  /** The job's id must be `occurrenceJobId` of this occurrence. */
  | { readonly do: 'dispatch'; readonly job: NewJob }
  | { readonly do: 'skip'; readonly reason: Reason }
  /** Ask again when EVENTS is recorded up to `eventsSeq` (absent: at the next pass), or at `until`. */
  | { readonly do: 'wait'; readonly eventsSeq?: number; readonly until: number };

/** What a pass has done. */
export interface Dispatched {
  /** To be published now. */
  readonly dispatched: readonly NewJob[];
  readonly skipped: number;
  readonly waiting: number;
}

type DueRow = ScheduleRow & {
  occurrenceTime: number;
  origin: string;
  waitedForSeq: number | null;
  waitUntil: number | null;
};

// The occurrence is locked too: a pass that ended while this one began has changed it, and only a locked row is looked at
// again. Those that wait come last, so that they keep nobody off the limit.
const LOCK = `select ${SCHEDULE_SELECT}, ${ms('o.nominal_time')} as "occurrenceTime", o.origin,
    o.wait_events_seq::float8 as "waitedForSeq", ${ms('o.wait_until')} as "waitUntil"
  from occurrence o join schedule s on s.id = o.schedule_id
  where o.state = 'due' and o.nominal_time <= ${at('$1')}
    and (o.wait_until is null or o.wait_until <= ${at('$1')} or coalesce(o.wait_events_seq, 0) <= $2::float8)
  order by o.wait_until is not null, o.nominal_time limit $3
  for update of s, o skip locked`;

const COUNT_OPEN = `select schedule_id as id, count(*)::float8 as open, min(state || ' ' || id) as one from job
  where schedule_id = any($1::uuid[]) and schedule_id is not null and finished_at is null
    and total_limit_at > ${at('$2')}
  group by schedule_id`;

const DECIDE = `update occurrence o set state = x.state, reason = x.reason, job_id = x.job, lateness_ms = x.lateness,
    wait_events_seq = x.seq, wait_until = ${at('x.until')}
  from json_to_recordset($1::json) as x(schedule uuid, nominal float8, origin text, state text, reason jsonb, job uuid,
    lateness bigint, seq bigint, until float8)
  where o.schedule_id = x.schedule and o.nominal_time = ${at('x.nominal')} and o.origin = x.origin`;

/**
 * Decides what is due, in one transaction: locks the schedules (what another pass has locked is left out), counts their open
 * jobs, asks `decide` about one occurrence after the other, oldest first, and writes the jobs and what became of the
 * occurrences. The jobs that it returns are committed and not yet published. `decide` is pure and may be asked twice.
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
    const { now, recordedUpTo, limit } = params;
    const due = await sql.rows<DueRow>(LOCK, [now, recordedUpTo, Math.min(limit, 500)]);
    if (due.length === 0) return { dispatched: [], skipped: 0, waiting: 0 };
    const open = await countOpen(sql, due, now);
    const dispatched: NewJob[] = [];
    let skipped = 0;
    const rows = due
      .sort((a, b) => a.occurrenceTime - b.occurrenceTime)
      .map((row) => {
        const before = open.get(row.id) ?? { openJobs: 0 };
        const decision = params.decide(toDue(row, before));
        if (decision.do === 'dispatch') {
          const { envelope, state } = checkId(decision.job, row);
          dispatched.push(decision.job);
          open.set(row.id, { openJobs: before.openJobs + 1, openJob: { id: envelope.id, state } });
        }
        if (decision.do === 'skip') skipped++;
        return { ...toChange(decision, now - row.occurrenceTime), ...keyOf(row) };
      });
    await writeNewJobs(sql, dispatched);
    await sql.run(DECIDE, [toJson(rows)]);
    return { dispatched, skipped, waiting: due.length - dispatched.length - skipped };
  });
}

type Open = Pick<DueOccurrence, 'openJobs' | 'openJob'>;

async function countOpen(sql: Sql, due: readonly DueRow[], now: number): Promise<Map<string, Open>> {
  const ids = [...new Set(due.map((row) => row.id))];
  const rows = await sql.rows<{ id: string; open: number; one: string }>(COUNT_OPEN, [ids, now]);
  return new Map(
    rows.map(({ id, open, one }) => {
      const [state, job = ''] = one.split(' ');
      return [id, { openJobs: open, openJob: { id: job, state: state as JobState } }];
    }),
  );
}

function toDue(row: DueRow, open: Open): DueOccurrence {
  const { occurrenceTime, origin, waitedForSeq, waitUntil } = row;
  return {
    schedule: scheduleRecord(row),
    nominalTime: occurrenceTime,
    origin,
    ...open,
    ...(waitedForSeq === null ? {} : { waitedForSeq }),
    ...(waitUntil === null ? {} : { waitUntil }),
  };
}

function keyOf(row: DueRow) {
  return { schedule: row.id, nominal: row.occurrenceTime, origin: row.origin };
}

function toChange(decision: DispatchDecision, lateness: number) {
  switch (decision.do) {
    case 'dispatch':
      return { state: 'dispatched', job: decision.job.envelope.id, lateness };
    case 'skip':
      return { state: 'skipped', reason: decision.reason };
    case 'wait':
      return { state: 'due', seq: decision.eventsSeq, until: decision.until };
  }
}

/** Another id would make a second job when the pass is repeated. */
function checkId(job: NewJob, row: DueRow): NewJob {
  const id = occurrenceJobId(row.id, row.occurrenceTime, row.origin);
  if (job.envelope.id === id) return job;
  throw new TypeError(`the job of an occurrence must have the id ${id}, not ${job.envelope.id}`);
}
