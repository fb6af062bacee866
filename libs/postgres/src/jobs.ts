import { FIRST_POSITION, type JobState, orderOf, PHASES, uuidV7 } from '@jetbeat/core';
import { toArray } from './arrays.ts';
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

// What history has heard of since is left alone: the note would change nothing, and cost a new row and all its index entries.
// Locked in the order of ids, as every writer of several jobs does, so that two of them cannot wait for each other.
const NOTE_PUBLISHED = `with told as (select unnest($1::uuid[]) as id, unnest($2::bigint[]) as seq),
  locked as (
    select j.id from job j where j.id >= $3::uuid and j.id <= $4::uuid and j.id = any((select $1::uuid[])::uuid[])
      and not j.published order by j.id for update)
  update job j
    set published = true, stream_seq = case when j."position" = ${FIRST} then coalesce(told.seq, j.stream_seq) else j.stream_seq end
    from told join locked using (id) where j.id = told.id and j.id >= $3::uuid and j.id <= $4::uuid`;

/**
 * Notes that jobs have been published as they were written. The sequence (absent for timers) holds only while nothing
 * later is known of the job.
 */
export async function notePublished(
  db: Database,
  rows: readonly { id: string; seq?: number }[],
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
  await inside(db).run(NOTE_PUBLISHED, [...values, ids[0], ids.at(-1)]);
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
  const { states, limit } = params;
  const values: unknown[] = [limit];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = [...filtersOf(params, bind)];
  // A list of states would be read whole and sorted; one state after the other comes in order from the index.
  if (states?.length === 1) where.push(`j.state = ${bind(states[0])}`);
  const all = (filters: readonly string[]) => (filters.length === 0 ? '' : `where ${filters.join(' and ')}`);
  const newest = 'order by j.id desc limit $1';
  const ofStates = (list: readonly JobState[]) => `where j.id in (
    select found.id from unnest(${bind(list)}::text[]) as of(state), lateral (
      select j.id from job j ${all([...where, 'j.state = of.state'])} ${newest}) found
    order by found.id desc limit $1)`;
  const matching = states !== undefined && states.length !== 1 ? ofStates(states) : all(where);
  const sql = inside(db);
  const rows = await sql.rows<JobRow>(`select ${JOB_SELECT} from job j ${matching} ${newest}`, values);
  return withAttempts(sql, rows);
}

/** The conditions besides the state, as SQL. */
function filtersOf(params: ListJobsParams, bind: (value: unknown) => string): string[] {
  const { task, queue, schedule, from, to, after } = params;
  const filters: readonly (readonly [string, unknown])[] = [
    ['j.task =', task],
    ['j.queue =', queue],
    ['j.schedule_name =', schedule],
    ['j.id >=', from === undefined ? undefined : uuidV7(from, NO_BYTES)],
    ['j.id <', to === undefined ? undefined : uuidV7(to, NO_BYTES)],
    ['j.id <', after],
  ];
  return filters.filter(([, value]) => value !== undefined).map(([text, value]) => `${text} ${bind(value)}`);
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
