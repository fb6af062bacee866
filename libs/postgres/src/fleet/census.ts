import { isTerminal, JOB_STATES, type JobState } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';

/** How many there are of what. */
export interface Census {
  /** `silent` ones ran when they were last heard of, which is too long ago. */
  readonly workers: Readonly<Record<'running' | 'silent' | 'stopped', number>>;
  /** Open jobs by state, each counted up to `CENSUS_JOBS`. */
  readonly jobs: readonly { readonly state: JobState; readonly jobs: number }[];
  readonly schedules: Readonly<Record<'active' | 'paused', number>>;
}

/** Nobody pages through a million rows for one number: from here on the state counts as "so many or more". */
export const CENSUS_JOBS = 10_000;
/** Workers of which nothing was heard for longer are history. */
const DAY_MS = 86_400_000;

const OPEN_STATES = JOB_STATES.filter((state) => !isTerminal(state));

const WORKERS = `select count(*) filter (where state = 'running' and heard_at > $1) as running,
    count(*) filter (where state = 'running' and heard_at <= $1) as silent,
    count(*) filter (where state = 'stopped') as stopped
  from worker where heard_at > $2`;
const JOBS = `select state, (select count(*) from (select 1 from job where job.state = s.state limit $2) found) as jobs
  from unnest($1::text[]) as s(state)`;
const SCHEDULES = `select count(*) filter (where paused_at is null) as active, count(paused_at) as paused from schedule`;

type Counts<Name extends string> = Record<Name, string>;

/**
 * Counts workers, open jobs and schedules, at a cost that does not grow with history.
 * @param params `now`: Unix milliseconds; `within`: how long ago a worker may have been heard of, in milliseconds
 */
export async function takeCensus(db: Database, params: { now: number; within: number }): Promise<Census> {
  const { now, within } = params;
  const sql = inside(db);
  const since = [new Date(now - within), new Date(now - Math.max(DAY_MS, within))];
  const workers = await sql.row<Counts<'running' | 'silent' | 'stopped'>>(WORKERS, since);
  const schedules = await sql.row<Counts<'active' | 'paused'>>(SCHEDULES);
  const jobs = await sql.rows<{ state: JobState; jobs: string }>(JOBS, [OPEN_STATES, CENSUS_JOBS]);
  return {
    workers: {
      running: Number(workers?.running ?? 0),
      silent: Number(workers?.silent ?? 0),
      stopped: Number(workers?.stopped ?? 0),
    },
    jobs: jobs.map((row) => ({ state: row.state, jobs: Number(row.jobs) })),
    schedules: { active: Number(schedules?.active ?? 0), paused: Number(schedules?.paused ?? 0) },
  };
}
