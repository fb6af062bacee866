import { FIRST_POSITION, orderOf, PHASES } from '@jetbeat/core';
import { type AuditEntry, writeAudit } from '../access/audit.ts';
import { toArray } from '../database/arrays.ts';
import { type Database, inside } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import {
  type AttemptRow,
  attemptRecord,
  attemptSelect,
  JOB_SELECT,
  type JobRow,
  type JobWithAttempts,
  jobRecord,
} from './job-record.ts';
import { type NewJob, writeNewJobs } from './new-job.ts';

/**
 * Writes jobs that are to be published next: they are accepted when this returns. Ids that are there already stay as they
 * are. Returns the ids that are new.
 * @param options.audit written with a job that is new
 */
export async function insertJobs(
  db: Database,
  jobs: readonly NewJob[],
  options: { readonly audit?: (job: NewJob) => AuditEntry } = {},
): Promise<string[]> {
  const { audit } = options;
  if (!audit) return writeNewJobs(inside(db), jobs);
  return inside(db).transaction(async (sql) => {
    const ids = new Set(await writeNewJobs(sql, jobs));
    await writeAudit(sql, ...jobs.filter(({ envelope }) => ids.has(envelope.id)).map(audit));
    return [...ids];
  });
}

/** The position of a job that nobody has touched. */
const FIRST = orderOf(FIRST_POSITION, PHASES.queued);

// What history has heard of since is left alone: the note would change nothing, and cost a new row and all its index entries.
// Locked in the order of ids, as every writer of several jobs does, so that two of them cannot wait for each other.
const NOTE_PUBLISHED = `with told as (select unnest($1::uuid[]) as id, unnest($2::bigint[]) as seq, unnest($5::bool[]) as untold),
  locked as (
    select j.id from job j where j.id >= $3::uuid and j.id <= $4::uuid and j.id = any((select $1::uuid[])::uuid[])
      and not j.published order by j.id for update)
  update job j
    set published = not told.untold, stream_seq = case when j."position" = ${FIRST} then coalesce(told.seq, j.stream_seq) else j.stream_seq end
    from told join locked using (id) where j.id = told.id and j.id >= $3::uuid and j.id <= $4::uuid`;

/**
 * Notes that jobs have been published as they were written. The sequence (absent for timers) holds only while nothing
 * later is known of the job. Of `untold` ones the sequence alone is noted: they are still looked for, to be told of.
 */
export async function notePublished(
  db: Database,
  rows: readonly { id: string; seq?: number; untold?: true }[],
): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id).sort();
  const values = [
    toArray(
      'uuid',
      rows.map(({ id }) => id),
    ),
    toArray(
      'int8',
      rows.map(({ seq }) => seq),
    ),
  ];
  const untold = toArray(
    'bool',
    rows.map((row) => row.untold === true),
  );
  await inside(db).run(NOTE_PUBLISHED, [...values, ids[0], ids.at(-1), untold]);
}

/** One job with its attempts; undefined when it is not known. */
export async function getJob(db: Database, id: string): Promise<JobWithAttempts | undefined> {
  const sql = inside(db);
  const rows = await sql.rows<JobRow>(`select ${JOB_SELECT} from job j where j.id = $1`, [id]);
  return (await withAttempts(sql, rows))[0];
}

async function withAttempts(sql: Sql, rows: readonly JobRow[]): Promise<JobWithAttempts[]> {
  if (rows.length === 0) return [];
  const attempts = await sql.rows<AttemptRow & { job: string }>(
    `select a.job_id as job, ${attemptSelect()} from attempt a where a.job_id = any($1::uuid[]) order by a.run, a.started_at, a.run_id`,
    [rows.map((row) => row.id)],
  );
  const ofJob = Map.groupBy(attempts, (attempt) => attempt.job);
  return rows.map((row) => ({ ...jobRecord(row), attempts: (ofJob.get(row.id) ?? []).map(attemptRecord) }));
}
