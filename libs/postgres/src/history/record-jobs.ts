import { type JobChange, resolvePolicy, totalLimit } from '@jetbeat/core';
import { toArray } from '../database/arrays.ts';
import type { Sql } from '../database/sql.ts';
import { type Column, toArrays, unnested } from './columns.ts';

/**
 * The rule of core `mergeJob`: the first end stays, any end wins over a step on the way, else the later position. A job has
 * ended when it has a time of its end, which is cheaper to look at than its state.
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
    'expires_at',
    'schedule_id',
    'schedule_name',
    'nominal_time',
    'origin',
    'total_limit_at',
    'parent',
    'unique_key',
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

/** What a change brings, by column. */
const COLUMNS: readonly Column<JobChange>[] = [
  { name: 'id', type: 'uuid', of: (job) => job.id },
  { name: 'task', type: 'text', of: (job) => job.task },
  { name: 'queue', type: 'text', of: (job) => job.queue },
  { name: 'priority', type: 'text', of: (job) => job.priority },
  { name: 'state', type: 'text', of: (job) => job.state },
  { name: '"position"', type: 'int8', of: (job) => job.order },
  { name: 'attempt', type: 'int4', of: (job) => job.attempt },
  { name: 'run', type: 'int4', of: (job) => job.run },
  { name: 'parks', type: 'int4', of: (job) => job.parks },
  { name: 'created_at', type: 'timestamptz', of: (job) => job.createdAt },
  { name: 'run_at', type: 'timestamptz', of: (job) => job.runAt },
  { name: 'due_at', type: 'timestamptz', of: (job) => job.dueAt },
  { name: 'stream_seq', type: 'int8', of: (job) => job.seq },
  { name: 'worker_id', type: 'text', of: (job) => job.worker },
  { name: 'trace_id', type: 'text', of: (job) => job.traceId },
  { name: 'traceparent', type: 'text', of: (job) => job.traceparent },
  { name: 'started_at', type: 'timestamptz', of: (job) => job.startedAt },
  { name: 'finished_at', type: 'timestamptz', of: (job) => job.finishedAt },
  // Of a job that succeeded nothing else can follow (`nextOf`).
  { name: 'next', type: 'jsonb', of: (job) => (job.state === 'succeeded' ? undefined : job.next) },
  { name: 'reason', type: 'jsonb', of: (job) => job.reason },
  { name: 'error', type: 'jsonb', of: (job) => job.error },
  { name: 'result', type: 'jsonb', of: (job) => job.result },
  { name: 'input_known', type: 'bool', of: (job) => job.envelope !== undefined },
  { name: 'input', type: 'jsonb', of: (job) => job.envelope?.input },
  { name: 'meta', type: 'jsonb', of: (job) => job.envelope?.meta },
  { name: 'policy', type: 'jsonb', of: (job) => job.envelope?.policy },
  { name: 'expires_at', type: 'timestamptz', of: (job) => job.envelope?.expiresAt },
  { name: 'schedule_id', type: 'uuid', of: (job) => job.envelope?.schedule?.id },
  { name: 'schedule_name', type: 'text', of: (job) => job.envelope?.schedule?.name },
  { name: 'nominal_time', type: 'timestamptz', of: (job) => job.envelope?.schedule?.nominalTime },
  { name: 'origin', type: 'text', of: (job) => job.envelope?.schedule?.origin ?? 'client' },
  { name: 'total_limit_at', type: 'timestamptz', of: totalLimitAt },
  { name: 'parent', type: 'uuid', of: (job) => job.envelope?.parent },
  { name: 'unique_key', type: 'jsonb', of: (job) => job.envelope?.unique },
];
const NAMES = COLUMNS.map(({ name }) => name).join(', ');

const INSERT = `insert into job as j (${NAMES}, check_at, published)
    select ${NAMES}, due_at, true from (select ${unnested(COLUMNS)}) incoming`;

// A row is returned when its state was refused: what gives the state has not changed.
const UPSERT = `with written as (
    ${INSERT}
    on conflict (id) do update set ${SET}
    returning new.id, new.state, new."position", old.id is not null and new."position" = old."position"
      and new.state = old.state and new.finished_at is not distinct from old.finished_at as refused)
  select id, state, "position"::float8 as "order" from written where refused`;

// The bounds leave most partitions out when it is planned; the array must not be seen then, or it is looked at one by one.
const KNOWN = `select count(*)::int as count, case when count(*) < $4::int then array_agg(id) end as ids
  from job where id >= $2::uuid and id <= $3::uuid and id = any((select $1::uuid[])::uuid[])`;

/** Which of these jobs, sorted by their ids, have a row. */
export async function knownJobs(sql: Sql, changes: readonly JobChange[]): Promise<Set<string>> {
  const ids = changes.map(({ id }) => id);
  if (ids.length === 0) return new Set();
  const known = await sql.row<{ count: number; ids: string[] | null }>(KNOWN, [
    ...[toArray('uuid', ids), ids[0], ids.at(-1), ids.length],
  ]);
  return new Set(known?.count === ids.length ? ids : known?.ids);
}

/** Writes jobs that have no row, in this order: fails with a unique violation if one has. It costs a third less than a merge. */
export async function insertJobs(sql: Sql, changes: readonly JobChange[]): Promise<void> {
  if (changes.length > 0) await sql.run(INSERT, toArrays(COLUMNS, changes));
}

/**
 * Merges changes into their rows in one statement and in this order, each job at most once. Returns how many transitions were refused because
 * the row was further on already; a repeat of what the row says does not count.
 */
export async function mergeJobs(sql: Sql, changes: readonly JobChange[]): Promise<number> {
  if (changes.length === 0) return 0;
  const refused = await sql.rows<{ id: string; state: string; order: number }>(
    UPSERT,
    toArrays(COLUMNS, changes),
  );
  if (refused.length === 0) return 0;
  const said = new Map(changes.map((change) => [change.id, change]));
  return refused.filter(({ id, state, order }) => {
    const change = said.get(id);
    return change !== undefined && (change.state !== state || change.order !== order);
  }).length;
}

const RAISE_LOSSES = `update job j set losses = greatest(j.losses, x.losses)
  from unnest($1::uuid[], $2::int4[]) as x(id, losses) where j.id = x.id`;

/** Notes what workers said of losses. Apart from the rest, since hardly any job has one; the rows are locked already. */
export async function raiseLosses(sql: Sql, changes: readonly JobChange[]): Promise<void> {
  const lost = changes.filter(({ losses }) => losses !== undefined);
  if (lost.length === 0) return;
  const ids = lost.map(({ id }) => id);
  const losses = lost.map((change) => change.losses ?? 0);
  await sql.run(RAISE_LOSSES, [ids, losses]);
}

const SET_PROGRESS = `update job j set progress = x.progress
  from (select unnest($1::uuid[]) as id, unnest($2::jsonb[]) as progress) x
  where j.id = x.id and (j.progress is null or ((j.progress->>'run')::float8, (j.progress->>'at')::float8)
    <= ((x.progress->>'run')::float8, (x.progress->>'at')::float8))`;

/** Notes what handlers said of their progress, as core `lastProgress` would. Apart from the rest, as losses are. */
export async function setProgress(sql: Sql, changes: readonly JobChange[]): Promise<void> {
  const told = changes.filter(({ progress }) => progress !== undefined);
  if (told.length === 0) return;
  const ids = toArray(
    'uuid',
    told.map(({ id }) => id),
  );
  const values = toArray(
    'jsonb',
    told.map(({ progress }) => progress),
  );
  await sql.run(SET_PROGRESS, [ids, values]);
}

/** Of a job with no policy of its own, in milliseconds. */
const DEFAULT_LIMIT = totalLimit(resolvePolicy());

function totalLimitAt({ envelope }: JobChange): number | undefined {
  if (!envelope) return undefined;
  const { policy, runAt } = envelope;
  return runAt + (policy ? totalLimit(resolvePolicy(policy)) : DEFAULT_LIMIT);
}
