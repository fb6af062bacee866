import { NOT_BEGUN_STATES } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { at, words } from '../database/sql.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from './job-record.ts';

// What is `cancelling` was told to all workers already, and ends by whoever has it, or gets it next. The states are named, so that there is
// an index for it also while that of the cancels is being built.
const SELECT = `select ${JOB_SELECT} from job j
  where j.cancel_requested_at <= ${at('$1')} and j.cancel_requested_at is not null and j.finished_at is null
    and j.state in (${words(NOT_BEGUN_STATES)}, 'running')
    and ($3::float8 is null or (j.cancel_requested_at, j.id) > (${at('$3')}, $4::uuid))
  order by j.cancel_requested_at, j.id limit $2`;

/** The last one of a page of `openCancels`; `at`: when its cancel was asked for, Unix milliseconds. */
export interface OpenCancelPlace {
  readonly at: number;
  readonly id: string;
}

/**
 * Jobs that somebody wanted to cancel before `before` (Unix milliseconds), and that go on as if nobody had; the longest first.
 * @param params.after the page behind this place
 */
export async function openCancels(
  db: Database,
  params: { before: number; limit: number; after?: OpenCancelPlace | undefined },
): Promise<JobRecord[]> {
  const { before, limit, after } = params;
  const values = [before, limit, after?.at ?? null, after?.id ?? null];
  return (await inside(db).rows<JobRow>(SELECT, values)).map(jobRecord);
}
