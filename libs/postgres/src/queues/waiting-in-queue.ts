import { type Database, inside } from '../database/database.ts';

/** Jobs of a queue that wait for their time or for their next attempt, and were made before a time; in the order of their ids. */
export async function timersOfQueue(
  db: Database,
  params: {
    readonly queue: string;
    /** Unix milliseconds. */
    readonly before: number;
    readonly after?: string;
    readonly limit: number;
  },
): Promise<string[]> {
  const { queue, before, after, limit } = params;
  const rows = await inside(db).rows<{ id: string }>(
    `select j.id from job j where j.queue = $1 and j.state in ('scheduled', 'retrying') and j.created_at <= $2
       and ($3::uuid is null or j.id > $3) order by j.id limit $4`,
    [queue, new Date(before), after ?? null, limit],
  );
  return rows.map(({ id }) => id);
}

/** Whether history knows any job of a queue. */
export async function hasJobs(db: Database, queue: string): Promise<boolean> {
  const row = await inside(db).row('select 1 from job where queue = $1 limit 1', [queue]);
  return row !== undefined;
}
