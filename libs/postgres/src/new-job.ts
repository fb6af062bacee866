import { type JobEnvelope, orderOf, PHASES, parseTraceparent } from '@jetbeat/core';
import { toJson } from './json.ts';
import { at, type Sql } from './sql.ts';

/** A job to be written before it is published. */
export interface NewJob {
  /** At its first position. */
  readonly envelope: JobEnvelope;
  /** W3C trace context; absent: the job is a trace of its own. */
  readonly traceparent?: string | undefined;
  readonly state: 'queued' | 'scheduled';
  /** From its run time to its end at most (core `totalLimit`), milliseconds. */
  readonly totalLimitMs: number;
  /** `api`, or the origin of its occurrence. */
  readonly origin: string;
}

/** The columns of a new job, with their types in `json_to_recordset`. */
const INSERT = `insert into job (id, task, queue, priority, state, "position", attempt, run, parks, created_at, run_at,
    due_at, check_at, published, trace_id, traceparent, input_known, input, meta, policy, schedule_id, schedule_name,
    nominal_time, origin, total_limit_at, parent)
  select id, task, queue, priority, state, "position", attempt, run, parks, ${at('created')}, ${at('run_ms')},
    ${at('run_ms')}, ${at('run_ms')}, false, trace_id, traceparent, true, input, meta, policy, schedule_id, schedule_name,
    ${at('nominal')}, origin, ${at('limit_ms')}, parent
  from json_to_recordset($1::json) as x(id uuid, task text, queue text, priority text, state text, "position" bigint,
    attempt integer, run integer, parks integer, created float8, run_ms float8, trace_id text, traceparent text,
    input jsonb, meta jsonb, policy jsonb, schedule_id uuid, schedule_name text, nominal float8, origin text,
    limit_ms float8, parent uuid)
  order by id
  on conflict (id) do nothing
  returning id`;

/** Writes jobs in one statement; ids that are there already stay as they are. Returns the ids that are new. */
export async function writeNewJobs(sql: Sql, jobs: readonly NewJob[]): Promise<string[]> {
  if (jobs.length === 0) return [];
  const rows = await sql.rows<{ id: string }>(INSERT, [toJson(jobs.map(toRow))]);
  return rows.map((row) => row.id);
}

function toRow(job: NewJob) {
  const {
    id,
    task,
    queue,
    priority,
    attempt,
    run,
    parks,
    createdAt,
    runAt,
    input,
    meta,
    policy,
    schedule,
    parent,
  } = job.envelope;
  return {
    id,
    task,
    queue,
    priority,
    attempt,
    run,
    parks,
    input,
    meta,
    policy,
    parent,
    state: job.state,
    position: orderOf(job.envelope, PHASES.queued),
    created: createdAt,
    run_ms: runAt,
    trace_id: parseTraceparent(job.traceparent)?.traceId,
    traceparent: job.traceparent,
    schedule_id: schedule?.id,
    schedule_name: schedule?.name,
    nominal: schedule?.nominalTime,
    origin: job.origin,
    limit_ms: runAt + job.totalLimitMs,
  };
}
