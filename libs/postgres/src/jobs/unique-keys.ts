import type { JobState, Priority, UniqueRef } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { ms } from '../database/sql.ts';

/** How a job stands that has, or had, a unique key. */
export interface KeyedState {
  readonly state: JobState;
  /** Ordinal of its last run. */
  readonly run: number;
}

/**
 * Which run of a job has begun, attempts alone say: a doubt that was answered `free` makes it `running` before it begins, and it
 * may yet wait, be parked, or be given back, which counts as one more run. So it is `queued` as long as its run has no attempt,
 * and what waits, waits for the run behind the last one that has.
 */
const STANDING = `cross join lateral (select max(a.run) as run from attempt a where a.job_id = j.id) begun
  cross join lateral (select case when j.state in ('running', 'cancelling') and begun.run is distinct from j.run
    then 'queued' else j.state end as state) known`;
const RUN = `case when known.state in ('scheduled', 'queued', 'parked') then coalesce(begun.run, 0) + 1 else j.run end as run`;

/** How these jobs stand; those that history does not know are left out. */
export async function keyedStates(db: Database, ids: readonly string[]): Promise<Map<string, KeyedState>> {
  if (ids.length === 0) return new Map();
  const rows = await inside(db).rows<KeyedState & { id: string }>(
    `select j.id, known.state, ${RUN} from job j ${STANDING} where j.id = any($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map(({ id, state, run }) => [id, { state, run }]));
}

/** A job that is open and has a unique key. Times in Unix milliseconds. */
export interface OpenKeyedJob extends KeyedState {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  readonly createdAt: number;
  readonly runAt: number;
  readonly unique: UniqueRef;
}

const OPEN_KEYED = `select j.id, j.task, j.queue, j.priority, known.state, ${RUN}, j.unique_key as "unique",
    ${ms('j.created_at')} as "createdAt", ${ms('j.run_at')} as "runAt"
  from job j ${STANDING} where j.unique_key is not null and j.finished_at is null and j.id > $1::uuid
  order by j.id limit $2`;

/** Open jobs with unique keys, in the order of their ids. */
export async function openKeyedJobs(
  db: Database,
  params: { readonly after: string; readonly limit: number },
): Promise<OpenKeyedJob[]> {
  return inside(db).rows<OpenKeyedJob>(OPEN_KEYED, [params.after, params.limit]);
}
