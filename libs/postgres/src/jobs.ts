import { FIRST_POSITION, type JobState, orderOf, PHASES, uuidV7 } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import {
  ATTEMPT_SELECT,
  type AttemptRow,
  attemptRecord,
  JOB_SELECT,
  type JobRow,
  type JobWithAttempts,
  jobRecord,
} from './job-record.ts';
import { toJson } from './json.ts';
import { type NewJob, writeNewJobs } from './new-job.ts';
import type { Sql } from './sql.ts';

/**
 * Writes jobs that are to be published next: they are accepted when this returns. Ids that are there already stay as they
 * are. Returns the ids that are new.
 */
export async function insertJobs(db: Database, jobs: readonly NewJob[]): Promise<string[]> {
  return writeNewJobs(inside(db), jobs);
}

/** The position of a job that nobody has touched. */
const FIRST = orderOf(FIRST_POSITION, PHASES.queued);

// Locked in the order of ids, as every writer of several jobs does, so that two of them cannot wait for each other.
const NOTE_PUBLISHED = `with told as (select * from json_to_recordset($1::json) as x(id uuid, seq bigint)),
  locked as (select j.id from job j where j.id in (select id from told) order by j.id for update)
  update job j
    set published = true, stream_seq = case when j."position" = ${FIRST} then coalesce(told.seq, j.stream_seq) else j.stream_seq end
    from told join locked using (id) where j.id = told.id`;

/**
 * Notes that jobs have been published as they were written. The sequence (absent for timers) holds only while nothing
 * later is known of the job.
 */
export async function notePublished(
  db: Database,
  rows: readonly { id: string; seq?: number }[],
): Promise<void> {
  if (rows.length > 0) await inside(db).run(NOTE_PUBLISHED, [toJson(rows)]);
}

/** One job with its attempts; undefined when it is not known. */
export async function getJob(db: Database, id: string): Promise<JobWithAttempts | undefined> {
  const sql = inside(db);
  const rows = await sql.rows<JobRow>(`select ${JOB_SELECT} from job j where j.id = $1`, [id]);
  return (await withAttempts(sql, rows))[0];
}

/** Makes the least id of a time. */
const NO_BYTES = new Uint8Array(10);

/** Which jobs to list. */
export interface ListJobsParams {
  readonly states?: readonly JobState[];
  readonly task?: string;
  readonly queue?: string;
  /** The schedule's name. */
  readonly schedule?: string;
  /** Unix milliseconds, by the time that an id begins with: at this time or later. */
  readonly from?: number;
  /** Unix milliseconds: before this time. */
  readonly to?: number;
  readonly limit: number;
  /** Id of the last job of the page before. */
  readonly after?: string;
}

/**
 * Lists jobs with their attempts, newest first: by id descending, whose leading part is the creation time, or the nominal
 * time for the job of an occurrence.
 */
export async function listJobs(db: Database, params: ListJobsParams): Promise<JobWithAttempts[]> {
  const { states, task, queue, schedule, from, to, after, limit } = params;
  const filters: readonly (readonly [string, unknown])[] = [
    ['j.state = any($?::text[])', states],
    ['j.task = $?', task],
    ['j.queue = $?', queue],
    ['j.schedule_name = $?', schedule],
    ['j.id >= $?::uuid', from === undefined ? undefined : uuidV7(from, NO_BYTES)],
    ['j.id < $?::uuid', to === undefined ? undefined : uuidV7(to, NO_BYTES)],
    ['j.id < $?::uuid', after],
  ];
  const used = filters.filter(([, value]) => value !== undefined);
  const where = used.map(([text], index) => text.replace('?', String(index + 2))).join(' and ');
  const sql = inside(db);
  const rows = await sql.rows<JobRow>(
    `select ${JOB_SELECT} from job j ${where === '' ? '' : `where ${where}`} order by j.id desc limit $1`,
    [limit, ...used.map(([, value]) => value)],
  );
  return withAttempts(sql, rows);
}

async function withAttempts(sql: Sql, rows: readonly JobRow[]): Promise<JobWithAttempts[]> {
  if (rows.length === 0) return [];
  const attempts = await sql.rows<AttemptRow>(
    `select ${ATTEMPT_SELECT} from attempt a where a.job_id = any($1::uuid[]) order by a.run, a.started_at, a.run_id`,
    [rows.map((row) => row.id)],
  );
  const ofJob = Map.groupBy(attempts, (attempt) => attempt.job);
  return rows.map((row) => ({ ...jobRecord(row), attempts: (ofJob.get(row.id) ?? []).map(attemptRecord) }));
}
