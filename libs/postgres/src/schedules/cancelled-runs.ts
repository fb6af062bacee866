import { type Database, inside } from '../database/database.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from '../jobs/job-record.ts';

// The jobs that the next run of their schedule waits for, and that were asked to give way to it.
const SELECT = `select ${JOB_SELECT} from job j
  where j.schedule_id in (select distinct o.schedule_id from occurrence o where o.state = 'buffered')
    and j.schedule_id is not null and j.finished_at is null and j.cancel_requested_at is not null
    and j.id > $2::uuid and j.id <> all($3::uuid[])
  order by j.id limit $1`;

const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * Jobs that are being cancelled and for whose end a run of their schedule waits, in the order of their ids.
 * @param params.after only those behind this id
 * @param params.except none of these ids
 */
export async function cancelledRuns(
  db: Database,
  params: { limit: number; after?: string | undefined; except?: readonly string[] },
): Promise<JobRecord[]> {
  const { limit, after = NIL, except = [] } = params;
  return (await inside(db).rows<JobRow>(SELECT, [limit, after, except])).map(jobRecord);
}

/** Which of these jobs are not over. */
export async function openAmong(db: Database, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const text = 'select id from job where id = any($1::uuid[]) and finished_at is null';
  return (await inside(db).rows<{ id: string }>(text, [ids])).map(({ id }) => id);
}
