import { JOB_STATES, type JobState } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleJob } from '../database/sample.ts';
import type { AskedAt, JobFilter } from './job-filter.ts';
import { insertJobs } from './jobs.ts';
import { listJobs } from './list-jobs.ts';
import type { ScanBudget } from './scan-jobs.ts';

/** What a made-up job is found by. */
export interface SampleOfHistory {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  readonly tenant?: string;
  readonly user: number;
  readonly message?: string;
}

/** From one job to the next: all of them are of 17 days. */
export const HOUR = 3_600_000;
/** How many there are. */
export const COUNT = 400;

/** Fills history with jobs of every kind; newest first. */
export async function fillHistory(db: Database): Promise<SampleOfHistory[]> {
  const known = Array.from({ length: COUNT }, (_, n): SampleOfHistory => {
    const state = JOB_STATES[n % JOB_STATES.length] ?? 'queued';
    const failed = n % 2 === 1 && state === 'dead';
    return {
      id: newId(NOON + n * HOUR),
      task: `mail.task${n % 7}`,
      queue: `q${n % 3}`,
      user: n % 50,
      state: n % 2 === 0 ? 'succeeded' : state,
      ...(n % 4 === 0 ? { tenant: `t${n % 8}` } : {}),
      ...(failed ? { message: n % 3 === 0 ? 'Request TIMEOUT' : 'no 100%_\\ sure' } : {}),
    };
  });
  const jobs = known.map(({ id, task, queue, tenant, user }) =>
    sampleJob({
      id,
      task,
      queue,
      input: { user: { id: user, tags: ['a', `tag${user}`], none: null } },
      ...(tenant === undefined ? {} : { meta: { 'app.tenant': tenant } }),
    }),
  );
  await insertJobs(db, jobs);
  const sql = inside(db);
  await sql.run(
    'update job j set state = x.state from unnest($1::uuid[], $2::text[]) x(id, state) where j.id = x.id',
    [known.map(({ id }) => id), known.map(({ state }) => state)],
  );
  const failed = known.filter(({ message }) => message !== undefined);
  await sql.run(
    `update job j set error = jsonb_build_object('name', 'Error', 'message', x.message), reason = '{"code": "rejected", "text": "x"}'
     from unnest($1::uuid[], $2::text[]) x(id, message) where j.id = x.id`,
    [failed.map(({ id }) => id), failed.map(({ message }) => message)],
  );
  return known.reverse();
}

/** The ids of all pages, one after the other. */
export async function allPages(
  db: Database,
  filter: JobFilter & AskedAt,
  { limit = 200, budget }: { limit?: number; budget?: ScanBudget } = {},
): Promise<string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const page = await listJobs(db, { ...filter, limit, after, ...(budget ? { budget } : {}) });
    ids.push(...page.jobs.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
  return ids;
}
