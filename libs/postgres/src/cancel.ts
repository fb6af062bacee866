import { type JobState, NOT_BEGUN_STATES, PHASES, type Reason } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from './job-record.ts';
import { toJson } from './json.ts';
import { at, words } from './sql.ts';

const NOT_BEGUN = words(NOT_BEGUN_STATES);

/**
 * Notes that somebody wants to cancel a job, if it has not begun; a second request keeps the first one's time. Returns the
 * job as it is now, whose state tells whether it may go on; undefined when it is not known.
 */
export async function beginCancel(
  db: Database,
  params: { id: string; reason?: string; now: number },
): Promise<JobRecord | undefined> {
  const sql = inside(db);
  const asked = await sql.row<JobRow>(
    `update job j set cancel_requested_at = coalesce(j.cancel_requested_at, ${at('$2')}),
       cancel_reason = coalesce(j.cancel_reason, $3)
     where j.id = $1 and j.state in (${NOT_BEGUN}) returning ${JOB_SELECT}`,
    [params.id, params.now, params.reason ?? null],
  );
  const row =
    asked ?? (await sql.row<JobRow>(`select ${JOB_SELECT} from job j where j.id = $1`, [params.id]));
  return row && jobRecord(row);
}

/**
 * Ends a job as cancelled if it still has not begun; else only says its state. Undefined when it is not known. The position
 * rises to the last phase of the same step, so that what is heard later of this step changes nothing.
 */
export async function cancelJob(
  db: Database,
  params: { id: string; reason: Reason; now: number },
): Promise<{ cancelled: boolean; state: JobState } | undefined> {
  const sql = inside(db);
  const changed = await sql.run(
    `update job j set state = 'cancelled', "position" = (j."position" / 16) * 16 + ${PHASES.ended},
       finished_at = ${at('$2')}, due_at = ${at('$2')}, reason = $3::jsonb, next = null
     where j.id = $1 and j.state in (${NOT_BEGUN})`,
    [params.id, params.now, toJson(params.reason)],
  );
  if (changed > 0) return { cancelled: true, state: 'cancelled' };
  const row = await sql.row<{ state: JobState }>('select state from job where id = $1', [params.id]);
  return row && { cancelled: false, state: row.state };
}

/** Forgets the intent to cancel a job that is not over. Returns whether there was such a job. */
export async function withdrawCancel(db: Database, id: string): Promise<boolean> {
  const changed = await inside(db).run(
    'update job set cancel_requested_at = null, cancel_reason = null where id = $1 and finished_at is null',
    [id],
  );
  return changed > 0;
}
