import { uuidV7 } from '@jetbeat/core';
import { type Database, inside } from './database.ts';

/** The most that are said of one job. */
const MOST = 20;
/** Makes the least id of a time. */
const NO_BYTES = new Uint8Array(10);

/**
 * The jobs that retries have made of a job, oldest first, at most 20. A job that is open has none.
 * @param job.finishedAt nothing before it can be a retry, so that older partitions are left out
 */
export async function retriesOf(
  db: Database,
  job: { readonly id: string; readonly finishedAt?: number },
): Promise<string[]> {
  if (job.finishedAt === undefined) return [];
  // The clocks of whoever ended it and of whoever has made the new job may differ.
  const from = uuidV7(Math.max(0, job.finishedAt - 60_000), NO_BYTES);
  const rows = await inside(db).rows<{ id: string }>(
    'select id from job where retry_of = $1 and id >= $2 order by id limit $3',
    [job.id, from, MOST],
  );
  return rows.map(({ id }) => id);
}
