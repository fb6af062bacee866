import { isTerminal, JOB_STATES, type JobChange, PRIORITIES, resolvePolicy, totalLimit } from '@jetbeat/core';
import { toJson } from './json.ts';
import { at, type Sql } from './sql.ts';

/**
 * The rule of core `mergeJob`: the first end stays, any end wins over a step on the way, else the later position. A job has
 * ended when it has a time of its end (`isSoundJob`), which is cheaper to look at than its state.
 */
const LATER = `(j.finished_at is null and (excluded.finished_at is not null or excluded."position" > j."position"))`;

/** What the event that gives the state says, or leaves unsaid: taken as a whole. */
const OF_THE_STATE = [
  ...['state', '"position"', 'task', 'queue', 'priority', 'attempt', 'run', 'parks', 'created_at', 'run_at'],
  ...['due_at', 'check_at', 'stream_seq', 'worker_id', 'finished_at', 'next', 'reason', 'error', 'result'],
];
/** What only `accepted` knows: taken once. */
const OF_THE_ENVELOPE = [
  ...[
    'input',
    'meta',
    'policy',
    'schedule_id',
    'schedule_name',
    'nominal_time',
    'origin',
    'total_limit_at',
    'parent',
  ],
];

const SET = [
  ...OF_THE_STATE.map((name) => `${name} = case when ${LATER} then excluded.${name} else j.${name} end`),
  ...OF_THE_ENVELOPE.map(
    (name) => `${name} = case when j.input_known then j.${name} else excluded.${name} end`,
  ),
  ...['trace_id', 'traceparent'].map(
    (name) =>
      `${name} = case when ${LATER} then coalesce(excluded.${name}, j.${name}) else coalesce(j.${name}, excluded.${name}) end`,
  ),
  ...['reconcile_seq', 'reconcile_events_seq'].map(
    (name) => `${name} = case when ${LATER} then null else j.${name} end`,
  ),
  'started_at = least(j.started_at, excluded.started_at)',
  'input_known = j.input_known or excluded.input_known',
  'published = true',
].join(', ');

const UPSERT = `with incoming as materialized (
    select * from json_to_recordset($1::json) as x(id uuid, task text, queue text, priority text, state text,
      "position" bigint, attempt integer, run integer, parks integer, created float8, run_ms float8, due float8,
      seq bigint, worker text, trace_id text, traceparent text, started float8, finished float8, next jsonb, reason jsonb,
      error jsonb, result jsonb, input_known boolean, input jsonb, meta jsonb, policy jsonb, schedule_id uuid,
      schedule_name text, nominal float8, origin text, limit_ms float8, parent uuid)),
  written as (
    insert into job as j (id, task, queue, priority, state, "position", attempt, run, parks, created_at, run_at, due_at,
      check_at, stream_seq, worker_id, trace_id, traceparent, started_at, finished_at, next, reason, error, result,
      published, input_known, input, meta, policy, schedule_id, schedule_name, nominal_time, origin, total_limit_at, parent)
    select id, task, queue, priority, state, "position", attempt, run, parks, ${at('created')}, ${at('run_ms')},
      ${at('due')}, ${at('due')}, seq, worker, trace_id, traceparent, ${at('started')}, ${at('finished')}, next, reason,
      error, result, true, input_known, input, meta, policy, schedule_id, schedule_name, ${at('nominal')}, origin,
      ${at('limit_ms')}, parent
    from incoming order by id
    on conflict (id) do update set ${SET}
    returning new.id, old.state as state, old."position" as "position", old.finished_at as finished_at)
  select count(*) filter (where w.state is not null and (i.state <> w.state or i."position" <> w."position")
      and (w.finished_at is not null or (i.finished is null and i."position" <= w."position")))::float8 as late
  from written w join incoming i using (id)`;

/**
 * Merges changes into their rows in one statement, each job at most once. Returns how many transitions were refused because
 * the row was further on already; a repeat of what the row says does not count.
 */
export async function writeJobs(sql: Sql, changes: readonly JobChange[]): Promise<number> {
  if (changes.length === 0) return 0;
  const row = await sql.row<{ late: number }>(UPSERT, [toJson(changes.map(toRow))]);
  return row?.late ?? 0;
}

function toRow(change: JobChange) {
  const { id, task, queue, priority, state, attempt, run, parks, seq, worker, traceparent } = change;
  const { next, reason, error, result } = change;
  return {
    id,
    task,
    queue,
    priority,
    state,
    attempt,
    run,
    parks,
    seq,
    worker,
    traceparent,
    next,
    reason,
    error,
    result,
    position: change.order,
    created: change.createdAt,
    run_ms: change.runAt,
    due: change.dueAt,
    trace_id: change.traceId,
    started: change.startedAt,
    finished: change.finishedAt,
    ...envelopeColumns(change),
  };
}

function envelopeColumns({ envelope }: JobChange) {
  if (!envelope) return { input_known: false, origin: 'client' };
  const { input, meta, policy, schedule, parent, runAt } = envelope;
  return {
    input_known: true,
    input,
    meta,
    policy,
    parent,
    schedule_id: schedule?.id,
    schedule_name: schedule?.name,
    nominal: schedule?.nominalTime,
    origin: schedule?.origin ?? 'client',
    limit_ms: runAt + totalLimit(resolvePolicy(policy)),
  };
}

const MAX_INTEGER = 2 ** 31 - 1;
const MAX_TIME = 8.64e15;

/** Whether a row can be made of it: one event of a stranger must not hold up history. */
export function isSoundJob(change: JobChange): boolean {
  const { attempt, run, parks, createdAt, runAt, dueAt, startedAt, finishedAt, seq, order } = change;
  return (
    [change.task, change.queue].every((name) => typeof name === 'string') &&
    PRIORITIES.includes(change.priority) &&
    JOB_STATES.includes(change.state) &&
    [attempt, run, parks].every((count) => Number.isInteger(count) && count >= 0 && count <= MAX_INTEGER) &&
    [createdAt, runAt, dueAt].every(isTime) &&
    [startedAt, finishedAt].every((time) => time === undefined || isTime(time)) &&
    (seq === undefined || Number.isSafeInteger(seq)) &&
    Number.isSafeInteger(order) &&
    isTerminal(change.state) === (finishedAt !== undefined)
  );
}

/** Whether it is a time that both a Date and a timestamptz can hold. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_TIME;
}
