import { NOT_BEGUN_STATES } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { at, words } from '../database/sql.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from './job-record.ts';

const NOT_BEGUN = words(NOT_BEGUN_STATES);

// The index is of open jobs by this time; of those the few that run are left out by looking at them.
const EXPIRED = `select ${JOB_SELECT} from job j
  where j.expires_at <= ${at('$1')} and j.expires_at is not null and j.finished_at is null and j.state in (${NOT_BEGUN})`;

/** Jobs that have not begun and expired before `before` (Unix milliseconds), the longest expired first. */
export async function expiredJobs(
  db: Database,
  params: { before: number; limit: number },
): Promise<JobRecord[]> {
  const { before, limit } = params;
  const rows = await inside(db).rows<JobRow>(`${EXPIRED} order by j.expires_at limit $2`, [before, limit]);
  return rows.map(jobRecord);
}

/** Of these jobs those that still have not begun, and expired before `before`. */
export async function stillExpired(
  db: Database,
  params: { before: number; ids: readonly string[] },
): Promise<JobRecord[]> {
  const { before, ids } = params;
  const rows = await inside(db).rows<JobRow>(`${EXPIRED} and j.id = any($2::uuid[])`, [before, ids]);
  return rows.map(jobRecord);
}
