import { type Database, inside } from '../database/database.ts';

/** Which of these jobs are over; an unknown one is not. */
export async function endedJobs(db: Database, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await inside(db).rows<{ id: string }>(
    'select id from job where id = any($1::uuid[]) and finished_at is not null',
    [ids],
  );
  return rows.map(({ id }) => id);
}
