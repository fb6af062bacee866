import type { Changes, WorkerEvent } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { isUniqueViolation } from '../database/errors.ts';
import type { Sql } from '../database/sql.ts';
import { closeAttempts } from './close-attempts.ts';
import { raiseMarks, settledMark } from './marks.ts';
import { insertAttempts, mergeAttempts } from './record-attempts.ts';
import { insertJobs, knownJobs, mergeJobs, raiseLosses, setProgress } from './record-jobs.ts';
import { writeWorkers } from './record-workers.ts';

/** What the recorder has read. */
export interface RecordParams {
  /** Core `project` of the events of jobs, whose fields the caller has looked at: what no column can hold fails as a whole. */
  readonly changes: Changes;
  readonly workers: readonly WorkerEvent[];
  /** `databaseTime`: when the events of workers were received. */
  readonly now: number;
  /** Highest sequence in JOBS that was settled, per queue. */
  readonly settled?: ReadonlyMap<string, number>;
}

/** What has become of it. */
export interface Recorded {
  /** Jobs and attempts that were written, those included to which it made no difference. */
  readonly jobs: number;
  readonly attempts: number;
  /** Transitions that were refused because the row was further on; repeats of the same event do not count. */
  readonly late: number;
}

/**
 * Writes what a batch of events makes of history, in ONE transaction, as core `mergeJob` would. It may be repeated.
 * @throws UnfitValueError when a value is not of the type of its column; then nothing was written
 */
export async function recordChanges(db: Database, params: RecordParams): Promise<Recorded> {
  const { jobs, attempts } = params.changes;
  const write = (insert: boolean) => inside(db).transaction((sql) => writeAll(sql, params, insert));
  // Of what has no row another recorder may write one before we do; then all is merged, row by row.
  const late = await write(true).catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error;
    return write(false);
  });
  return { jobs: jobs.length, attempts: attempts.length, late };
}

/**
 * Every writer locks rows in this order, so that no two wait for each other: jobs that are new by their ids, jobs that are
 * known by their ids, attempts likewise, workers, marks. Attempts are written by nobody who does not have the row of their job, so those that
 * are closed at the end may come in any order.
 */
async function writeAll(sql: Sql, params: RecordParams, insert: boolean): Promise<number> {
  const { workers, now, settled } = params;
  const changes = inOrder(params.changes);
  const known = await knownJobs(sql, changes.jobs);
  const isNew = (id: string) => !known.has(id);
  const jobs = split(changes.jobs, ({ id }) => isNew(id));
  // An attempt is never written without its job, so a new job has none.
  const attempts = split(changes.attempts, ({ job }) => isNew(job));
  let late = 0;
  if (insert) await insertJobs(sql, jobs.yes);
  else late += await mergeJobs(sql, jobs.yes);
  late += await mergeJobs(sql, jobs.no);
  await raiseLosses(sql, changes.jobs);
  await setProgress(sql, changes.jobs);
  if (insert) await insertAttempts(sql, attempts.yes);
  else await mergeAttempts(sql, attempts.yes);
  await mergeAttempts(sql, attempts.no);
  await closeAttempts(sql, changes.jobs);
  await writeWorkers(sql, { events: workers, now });
  // Last, since all recorders write the same few rows.
  await raiseMarks(sql, new Map([...(settled ?? [])].map(([queue, seq]) => [settledMark(queue), seq])));
  return late;
}

/** Rows are written, and so locked, in the order in which they are sent. */
function inOrder({ jobs, attempts }: Changes): Changes {
  return {
    jobs: jobs.toSorted((a, b) => order(a.id, b.id)),
    attempts: attempts.toSorted((a, b) => order(a.job, b.job) || order(a.runId, b.runId)),
  };
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function split<T>(all: readonly T[], test: (one: T) => boolean): { yes: readonly T[]; no: readonly T[] } {
  const yes = all.filter(test);
  if (yes.length === all.length) return { yes, no: [] };
  return { yes, no: yes.length === 0 ? all : all.filter((one) => !test(one)) };
}
