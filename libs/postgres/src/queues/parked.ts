import type { Position, Priority } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { known } from '../database/json.ts';
import { at, ms } from '../database/sql.ts';

/** A parked job that may go on. Times in Unix milliseconds. */
export interface ParkedJob extends Position {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  /** What held it. */
  readonly what: 'doubt' | 'task' | 'key' | 'rate';
  /** The concurrency key that it waits for. */
  readonly key?: string;
  /** Whose rate it waits for (core `rateOf`). */
  readonly rate?: string;
  /** `orderOf` the event that parked it. */
  readonly order: number;
  readonly createdAt: number;
  readonly runAt: number;
  readonly traceId?: string;
}

// The codes are those of core `project` for parked jobs.
const SELECT = `select j.id, j.task, j.queue, j.priority, j.attempt, j.run, j.parks, j."position"::float8 as "order",
    case when j.reason->>'code' = 'doubt' then 'doubt' else 'task' end as what,
    ${ms('j.created_at')} as "createdAt", ${ms('j.run_at')} as "runAt", j.trace_id as "traceId"
  from job j
  where j.state = 'parked' and (j.reason->>'code' = 'doubt' or (j.reason->>'code' = 'no_worker' and exists (
    select from worker w where w.state = 'running' and w.heard_at > ${at('$1')}
      and j.queue = any(w.queues) and j.task = any(w.tasks))))
  order by j.due_at limit $2`;

/**
 * Jobs that are parked for doubt, or for a task that a live worker now serves on their queue; the longest parked first.
 * `within`: how long ago a worker may have been heard of, milliseconds.
 */
export async function parkedToRelease(
  db: Database,
  params: { now: number; within: number; limit: number },
): Promise<ParkedJob[]> {
  const { now, within, limit } = params;
  const rows = await inside(db).rows<ParkedJob & { traceId: string | null }>(SELECT, [now - within, limit]);
  return rows.map(({ traceId, ...row }) => ({ ...row, ...known({ traceId }) }));
}

const firstOf = (
  what: 'key' | 'rate',
) => `select distinct on (j.reason->>'${what}') j.id, j.task, j.queue, j.priority,
    j.attempt, j.run, j.parks, j."position"::float8 as "order", '${what}' as what, j.reason->>'${what}' as "${what}",
    ${ms('j.created_at')} as "createdAt", ${ms('j.run_at')} as "runAt", j.trace_id as "traceId"
  from job j
  where j.state = 'parked' and j.reason->>'code' = '${what}' and j.reason->>'${what}' is not null
    and j.due_at < ${at('$1')} and j.reason->>'${what}' > $3
  order by j.reason->>'${what}', j.due_at limit $2`;
const FIRST_OF = { key: firstOf('key'), rate: firstOf('rate') };

/**
 * Of each concurrency key for which a job has been parked since `before` the one that was parked first, by key, those after `after`. Unix
 * milliseconds.
 */
export async function parkedForKeys(
  db: Database,
  params: { before: number; limit: number; after: string },
): Promise<(ParkedJob & { readonly key: string })[]> {
  return firstParked<ParkedJob & { readonly key: string }>(db, 'key', params);
}

/** The same of each rate. */
export async function parkedForRates(
  db: Database,
  params: { before: number; limit: number; after: string },
): Promise<(ParkedJob & { readonly rate: string })[]> {
  return firstParked<ParkedJob & { readonly rate: string }>(db, 'rate', params);
}

const OF_RATE = `select j.id, j.task, j.queue, j.priority, j.attempt, j.run, j.parks, j."position"::float8 as "order",
    'rate' as what, j.reason->>'rate' as rate, ${ms('j.created_at')} as "createdAt", ${ms('j.run_at')} as "runAt",
    j.trace_id as "traceId"
  from job j
  where j.state = 'parked' and j.reason->>'code' = 'rate' and j.reason->>'rate' = $3 and j.due_at < ${at('$1')}
  order by j.due_at limit $2`;

/** The jobs that have been parked for one rate since `before`, Unix milliseconds; the longest parked first. */
export async function parkedForRate(
  db: Database,
  { before, limit, rate }: { before: number; limit: number; rate: string },
): Promise<(ParkedJob & { readonly rate: string })[]> {
  type Row = ParkedJob & { readonly rate: string; traceId: string | null };
  const rows = await inside(db).rows<Row>(OF_RATE, [before, limit, rate]);
  return rows.map(({ traceId, ...row }) => ({ ...row, ...known({ traceId }) }));
}

async function firstParked<Row extends ParkedJob>(
  db: Database,
  what: 'key' | 'rate',
  { before, limit, after }: { before: number; limit: number; after: string },
): Promise<Row[]> {
  const rows = await inside(db).rows<Row & { traceId: string | null }>(FIRST_OF[what], [
    before,
    limit,
    after,
  ]);
  return rows.map(({ traceId, ...row }) => ({ ...row, ...known({ traceId }) }) as unknown as Row);
}
