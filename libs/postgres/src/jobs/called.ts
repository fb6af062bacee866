import { callbackJobId, callbackKind, type JobState, MAX_CALLBACKS } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import type { JobRecord } from './job-record.ts';

/** A job that was made because another one had ended. */
export interface CalledJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
}

/** The callbacks of a job that has ended, as far as history knows them, in their order. Their ids follow from its own. */
export async function calledBy(db: Database, job: Pick<JobRecord, 'id' | 'state'>): Promise<CalledJob[]> {
  const kind = callbackKind(job.state);
  if (kind === undefined) return [];
  const ids = Array.from({ length: MAX_CALLBACKS }, (_, index) => callbackJobId(job.id, kind, index));
  const rows = await inside(db).rows<CalledJob>(
    'select id, task, queue, state from job where id = any($1::uuid[])',
    [ids],
  );
  return rows.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
}
