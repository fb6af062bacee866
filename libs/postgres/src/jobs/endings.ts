import type { JobState, Reason, StoredError } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { known } from '../database/json.ts';

/** What has become of a job so far. */
export interface JobEndingRecord {
  readonly id: string;
  readonly state: JobState;
  readonly task: string;
  readonly result?: unknown;
  readonly error?: StoredError;
  readonly reason?: Reason;
}

/** What has become of these jobs; those that history does not know are left out. */
export async function jobEndings(db: Database, ids: readonly string[]): Promise<JobEndingRecord[]> {
  if (ids.length === 0) return [];
  const rows = await inside(db).rows<JobEndingRecord>(
    'select id, state, task, result, error, reason from job where id = any($1::uuid[])',
    [ids],
  );
  return rows.map(({ id, state, task, ...optional }) => ({ id, state, task, ...known(optional) }));
}
