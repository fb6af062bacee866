import { type MovedJob, orderOf, PHASES, type Position } from '@jetbeat/core';
import { type AuditEntry, type AuditOf, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { at } from '../database/sql.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from './job-record.ts';

// It counts as not published: who dies before the publish leaves it to reconcile. The limit of all its attempts moves with it.
const MOVE = `update job j set state = $3, "position" = $4, attempt = $5, run = $6, priority = $7,
    total_limit_at = j.total_limit_at + (${at('$8')} - j.run_at), run_at = ${at('$8')}, due_at = ${at('$9')}, check_at = ${at('$9')},
    next = $10::jsonb, moved_below = $11, reason = null, published = false, stream_seq = null, reconcile_seq = null,
    reconcile_events_seq = null
  where j.id = $1 and j."position" = $2 and j.state = $12 and j.finished_at is null and j.cancel_requested_at is null
  returning ${JOB_SELECT}`;

/**
 * Writes a job's new place into its row, where nothing has changed since it was read.
 * @returns the row as it is then; undefined when it has gone on, or is being cancelled
 */
export async function writeMove(
  db: Database,
  params: { readonly job: JobRecord; readonly moved: MovedJob; readonly audit?: AuditOf<JobRecord> },
): Promise<JobRecord | undefined> {
  const { job, moved, audit } = params;
  const next = moved.next === undefined ? null : toJson(moved.next);
  const values = [
    ...[job.id, job.order, moved.state, moved.order, moved.attempt, moved.run, moved.priority],
    ...[moved.runAt, moved.dueAt, next, moved.below, job.state],
  ];
  return inside(db).transaction(async (sql) => {
    const row = await sql.row<JobRow>(MOVE, values);
    const after = row && jobRecord(row);
    if (after && audit) await writeAudit(sql, audit(job, after));
    return after;
  });
}

const UNDO = `update job j set state = 'running', "position" = $3, attempt = $4, run = $5, parks = $6, priority = $7,
    total_limit_at = j.total_limit_at + (${at('$8')} - j.run_at), run_at = ${at('$8')}, due_at = ${at('$9')}, check_at = ${at('$9')},
    next = null, moved_below = $10, published = true, stream_seq = $11, worker_id = $12,
    started_at = coalesce(j.started_at, ${at('$9')})
  where j.id = $1 and j."position" = $2 and j.finished_at is null`;

/** Takes a move back, since the job had begun: it runs where it was, as far as history has heard of nothing later. */
export async function undoMove(
  db: Database,
  params: {
    /** As it was before. */
    readonly job: JobRecord;
    readonly moved: MovedJob;
    readonly running: { readonly worker: string; readonly position?: Position };
    readonly now: number;
    readonly audit?: AuditEntry;
  },
): Promise<void> {
  const { job, moved, running, now, audit } = params;
  const position = running.position ?? job;
  await inside(db).transaction(async (sql) => {
    const changed = await sql.run(UNDO, [
      ...[job.id, moved.order, orderOf(position, PHASES.running)],
      ...[position.attempt, position.run, position.parks, job.priority, job.runAt, now],
      ...[job.movedBelow ?? null, job.seq ?? null, running.worker],
    ]);
    if (changed > 0 && audit) await writeAudit(sql, audit);
  });
}
