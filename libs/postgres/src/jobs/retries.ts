import { uuidV7 } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { ms, type Sql } from '../database/sql.ts';

/** The most that are said of one job. */
const MOST = 20;
/** Makes the least id of a time. */
const NO_BYTES = new Uint8Array(10);
/** The clocks of whoever ended a job and of whoever has made the new one may differ so far, milliseconds. */
const SKEW_MS = 60_000;

/**
 * The jobs that retries have made of a job, oldest first, at most 20. A job that is open has none.
 * @param job.finishedAt nothing before it can be a retry, so that older partitions are left out
 */
export async function retriesOf(
  db: Database,
  job: { readonly id: string; readonly finishedAt?: number },
): Promise<string[]> {
  if (job.finishedAt === undefined) return [];
  const from = earliestRetry(job.finishedAt);
  const rows = await inside(db).rows<{ id: string }>(
    'select id from job where retry_of = $1 and id >= $2 order by id limit $3',
    [job.id, from, MOST],
  );
  return rows.map(({ id }) => id);
}

/**
 * Those of some jobs that are over of which retries have made other jobs. It reaches into no partition that is older than the first end of
 * them.
 */
export async function retriedOf(sql: Sql, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const first = await sql.row<{ at: number | null }>(
    `select ${ms('min(finished_at)')} as at from job where id = any($1::uuid[])`,
    [[...ids]],
  );
  if (typeof first?.at !== 'number') return new Set();
  const rows = await sql.rows<{ id: string }>(
    'select distinct retry_of as id from job where retry_of = any($1::uuid[]) and id >= $2',
    [[...ids], earliestRetry(first.at)],
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Locks jobs until the transaction ends: whoever makes a retry of one does so first, so that of two the second sees what the first has
 * made.
 */
export async function lockRetried(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql.run('select id from job where id = any($1::uuid[]) order by id for update', [[...ids]]);
}

function earliestRetry(finishedAt: number): string {
  return uuidV7(Math.max(0, finishedAt - SKEW_MS), NO_BYTES);
}
