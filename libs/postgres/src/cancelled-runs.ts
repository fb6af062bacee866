import { type Database, inside } from './database.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from './job-record.ts';

// The jobs that the next run of their schedule waits for, and that were asked to give way to it.
const SELECT = `select ${JOB_SELECT} from job j
  where j.schedule_id in (select distinct o.schedule_id from occurrence o where o.state = 'buffered')
    and j.schedule_id is not null and j.finished_at is null and j.cancel_requested_at is not null limit $1`;

/** Jobs that are being cancelled and for whose end a run of their schedule waits. */
export async function cancelledRuns(db: Database, params: { limit: number }): Promise<JobRecord[]> {
  return (await inside(db).rows<JobRow>(SELECT, [params.limit])).map(jobRecord);
}
