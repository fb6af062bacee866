import { type JobState, uuidV7 } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { type AttemptRow, attemptRecord, jobRecord } from './job-record.ts';
import {
  LAST_ATTEMPTS,
  LISTED_SELECT,
  type ListedJob,
  type ListedRow,
  MAX_LISTED_ATTEMPTS,
} from './listed-job.ts';
import type { Sql } from './sql.ts';

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
  /** Code of the reason. */
  readonly reason?: string;
  /** Without those whose dead letter was thrown away. */
  readonly kept?: boolean;
  readonly limit: number;
  /** Id of the last job of the page before. */
  readonly after?: string;
}

/**
 * Lists jobs with their attempts, newest first: by id descending, whose leading part is the creation time, or the nominal
 * time for the job of an occurrence. What is large of a job is cut: a page is a few megabytes at most, whatever the jobs hold.
 */
export async function listJobs(db: Database, params: ListJobsParams): Promise<ListedJob[]> {
  const { states, limit } = params;
  const values: unknown[] = [limit];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = [...filtersOf(params, bind)];
  if (params.kept) where.push('j.discarded_at is null');
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
  const rows = await sql.rows<ListedRow>(`select ${LISTED_SELECT} from job j ${matching} ${newest}`, values);
  return withLastAttempts(sql, rows);
}

/** The conditions besides the state, as SQL. */
function filtersOf(params: ListJobsParams, bind: (value: unknown) => string): string[] {
  const { task, queue, schedule, reason, from, to, after } = params;
  const filters: readonly (readonly [string, unknown])[] = [
    ['j.task =', task],
    ['j.queue =', queue],
    ['j.schedule_name =', schedule],
    [`j.reason->>'code' =`, reason],
    ['j.id >=', from === undefined ? undefined : uuidV7(from, NO_BYTES)],
    ['j.id <', to === undefined ? undefined : uuidV7(to, NO_BYTES)],
    ['j.id <', after],
  ];
  return filters.filter(([, value]) => value !== undefined).map(([text, value]) => `${text} ${bind(value)}`);
}

async function withLastAttempts(sql: Sql, rows: readonly ListedRow[]): Promise<ListedJob[]> {
  if (rows.length === 0) return [];
  const attempts = await sql.rows<AttemptRow & { cut: boolean }>(LAST_ATTEMPTS, [rows.map(({ id }) => id)]);
  const ofJob = Map.groupBy(attempts, ({ job }) => job);
  return rows.map(({ cut, ...row }) => {
    const found = ofJob.get(row.id) ?? [];
    const last = found.slice(-MAX_LISTED_ATTEMPTS);
    const areCut = last.length < found.length || last.some((attempt) => attempt.cut);
    return {
      ...jobRecord(row),
      attempts: last.map(({ cut: _, ...attempt }) => attemptRecord(attempt)),
      cut: areCut ? [...cut, 'attempts'] : cut,
    };
  });
}
