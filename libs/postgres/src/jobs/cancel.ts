import { type JobState, NOT_BEGUN_STATES, orderOf, PHASES, type Position, type Reason } from '@jetbeat/core';
import { type AuditOf, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { at, type Sql, words } from '../database/sql.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from './job-record.ts';

const NOT_BEGUN = words(NOT_BEGUN_STATES);

const BEGIN = `update job j set cancel_requested_at = coalesce(j.cancel_requested_at, ${at('$2')}),
    cancel_reason = coalesce(j.cancel_reason, $3)
  from (select o.id, o.cancel_requested_at is null as first from job o where o.id = $1 for update) old
  where j.id = $1 and j.id = old.id and j.finished_at is null returning ${JOB_SELECT}, old.first as "isFirst"`;

/**
 * Notes that somebody wants to cancel a job, if it is not over; a second request keeps the first one's time. It is never taken
 * back: whoever notes it may die, and others carry it out (`openCancels`). Returns the
 * job as it is now, whose state tells whether it may go on; undefined when it is not known.
 * @param params.audit of the first request
 */
export async function beginCancel(
  db: Database,
  params: { id: string; reason?: string; now: number; audit?: AuditOf<JobRecord> },
): Promise<JobRecord | undefined> {
  const { id, reason = null, now, audit } = params;
  const begin = async (sql: Sql) => {
    const row = await sql.row<JobRow & { isFirst: boolean }>(BEGIN, [id, now, reason]);
    const job = row && jobRecord(row);
    if (job && row.isFirst && audit) await writeAudit(sql, audit(undefined, job));
    return job;
  };
  const sql = inside(db);
  const asked = await (audit ? sql.transaction(begin) : begin(sql));
  if (asked) return asked;
  const row = await sql.row<JobRow>(`select ${JOB_SELECT} from job j where j.id = $1`, [id]);
  return row && jobRecord(row);
}

/**
 * Ends a job as cancelled if it still has not begun; else only says its state. Undefined when it is not known. The position
 * rises to the last phase of the same step, so that what is heard later of this step changes nothing; what began it, and never told an
 * end, is `lost`.
 * @param params.lost nobody has it any more: then it ends also where it was being cancelled while it ran
 */
export async function cancelJob(
  db: Database,
  params: { id: string; reason: Reason; now: number; lost?: boolean },
): Promise<{ cancelled: boolean; state: JobState } | undefined> {
  const sql = inside(db);
  const from = params.lost ? `${NOT_BEGUN}, 'cancelling'` : NOT_BEGUN;
  const ended = await sql.row(
    `with ended as (update job j set state = 'cancelled', "position" = (j."position" / 16) * 16 + ${PHASES.ended},
       finished_at = ${at('$2')}, due_at = ${at('$2')}, reason = $3::jsonb, next = null
     where j.id = $1 and j.state in (${from}) returning j.id),
     closed as (update attempt a set outcome = 'lost', finished_at = ${at('$2')} from ended
       where a.job_id = $1 and a.outcome is null)
     select id from ended`,
    [params.id, params.now, toJson(params.reason)],
  );
  if (ended) return { cancelled: true, state: 'cancelled' };
  const row = await sql.row<{ state: JobState }>('select state from job where id = $1', [params.id]);
  return row && { cancelled: false, state: row.state };
}

/**
 * Notes that a job is being stopped while it runs. Returns its state then: another one where it is over, or where the step in
 * question is. Undefined when it is not known. Should nobody have it, it is looked for soon, and not at the time that it waited for.
 * @param params.running who runs it, and at which step; absent: whoever may have it did not answer. Then a job that waits for a time, or in a
 *   parking place, stays as it is: who cancels takes its message out, so that perhaps nobody has one, and nobody would end it
 */
export async function noteCancelling(
  db: Database,
  params: { id: string; now: number; running?: { readonly worker: string; readonly position?: Position } },
): Promise<JobState | undefined> {
  const { id, now, running } = params;
  const position = running?.position;
  // What history has not been told of yet (a start within the first moments) must not undo this when it comes.
  const order = position === undefined ? 0 : orderOf(position, PHASES.cancelling);
  const { attempt = null, run = null, parks = null } = position ?? {};
  const sql = inside(db);
  const changed = await sql.run(
    `update job j set state = 'cancelling',
       "position" = greatest(j."position", $3::bigint,
         case when j.state in ('running', 'cancelling', 'queued') then (j."position" / 16) * 16 + ${PHASES.cancelling} end),
       attempt = coalesce($4::int, j.attempt), run = coalesce($5::int, j.run), parks = coalesce($6::int, j.parks),
       worker_id = coalesce($7, j.worker_id), started_at = coalesce(j.started_at, case when $7::text is not null then ${at('$2')} end), next = null, reason = null,
       due_at = least(j.due_at, ${at('$2')}), check_at = least(j.check_at, ${at('$2')})
     where j.id = $1 and j.finished_at is null and j.state <> 'blocked'
       and ($7::text is not null or j.state in ('queued', 'running', 'cancelling')) and ($3::bigint = 0 or j."position" <= $3::bigint)`,
    [id, now, order, attempt, run, parks, running?.worker ?? null],
  );
  if (changed > 0) return 'cancelling';
  return (await sql.row<{ state: JobState }>('select state from job where id = $1', [id]))?.state;
}
