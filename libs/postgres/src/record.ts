import type { Changes, WorkerEvent } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { raiseMarks, settledMark } from './marks.ts';
import { isSoundAttempt, writeAttempts } from './record-attempts.ts';
import { isSoundJob, writeJobs } from './record-jobs.ts';
import { isSoundWorker, writeWorkers } from './record-workers.ts';

/** What the recorder has read. */
export interface RecordParams {
  /** Core `project` of the events of jobs. */
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
  /** What was left out because a field was missing or out of range. */
  readonly malformed: number;
}

/** Writes what a batch of events makes of history, in ONE transaction, as core `mergeJob` would. It may be repeated. */
export async function recordChanges(db: Database, params: RecordParams): Promise<Recorded> {
  const jobs = params.changes.jobs.filter(isSoundJob);
  const written = new Set(jobs.map((job) => job.id));
  const attempts = params.changes.attempts.filter(
    (attempt) => written.has(attempt.job) && isSoundAttempt(attempt),
  );
  const workers = params.workers.filter(isSoundWorker);
  const given = params.changes.jobs.length + params.changes.attempts.length + params.workers.length;
  const marks = new Map([...(params.settled ?? [])].map(([queue, seq]) => [settledMark(queue), seq]));
  const late = await inside(db).transaction(async (sql) => {
    const refused = await writeJobs(sql, jobs);
    await writeAttempts(sql, attempts);
    await writeWorkers(sql, { events: workers, now: params.now });
    // Last, since all recorders write the same few rows.
    await raiseMarks(sql, marks);
    return refused;
  });
  const malformed = given - jobs.length - attempts.length - workers.length;
  return { jobs: jobs.length, attempts: attempts.length, late, malformed };
}
