import { AsyncLocalStorage } from 'node:async_hooks';
import { type AuditEntry, DatabaseUnavailableError, type NewJob } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';

/**
 * Writes a job; resolves when PostgreSQL has committed it, with `existed` where it was written before.
 * @param audit written in the same transaction
 */
export type InsertJob = (job: NewJob, audit?: AuditEntry) => Promise<'existed' | undefined>;

/** Writes jobs in one statement; returns the ids that are new. */
type InsertJobs = (
  jobs: readonly NewJob[],
  options?: { readonly audit?: () => AuditEntry },
) => Promise<readonly string[]>;

const MAX_BATCH = 500;

interface Waiting {
  readonly job: NewJob;
  readonly resolve: (existed: 'existed' | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Runs in what the request ran in, so that a trace shows the statement in the first one's of a batch. */
  readonly within: <T>(fn: () => T) => T;
}

/**
 * Joins the inserts of requests that come at the same time into one statement: while one is under way the next gathers.
 * Nobody waits for company: alone, a job goes at once.
 */
export function createInserter(params: { insertJobs: InsertJobs; maxWaiting?: number }): InsertJob {
  const { insertJobs, maxWaiting = 5_000 } = params;
  const waiting: Waiting[] = [];
  let running = false;

  const insertOne = async ({ job, resolve, reject, within }: Waiting) =>
    within(() => insertJobs([job])).then((ids) => resolve(whether(ids, job)), reject);
  const insertBatch = async (batch: readonly Waiting[]) => {
    const [first] = batch;
    if (!first) return;
    try {
      tell(batch, await first.within(() => insertJobs(batch.map(({ job }) => job))));
    } catch (error) {
      if (batch.length === 1 || error instanceof DatabaseUnavailableError) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // One job that PostgreSQL refuses must not take its neighbours with it.
      for (const entry of batch) await insertOne(entry);
    }
  };
  const run = async () => {
    running = true;
    while (waiting.length > 0) await insertBatch(waiting.splice(0, MAX_BATCH));
    running = false;
  };

  return (job, audit) => {
    // One that somebody answers for stands by itself, with its row.
    if (audit) return insertJobs([job], { audit: () => audit }).then((ids) => whether(ids, job));
    return new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) {
        reject(
          new ApiError('overloaded', `${maxWaiting} jobs wait for PostgreSQL: repeat later`, {
            retryAfter: 1,
            counted: 'jobs_waiting',
          }),
        );
        return;
      }
      waiting.push({ job, resolve, reject, within: AsyncLocalStorage.snapshot() });
      if (!running) void run();
    });
  };
}

function tell(batch: readonly Waiting[], made: readonly string[]): void {
  const isAll = made.length === batch.length;
  for (const { job, resolve } of batch) resolve(isAll ? undefined : whether(made, job));
}

function whether(made: readonly string[], { envelope }: NewJob): 'existed' | undefined {
  return made.includes(envelope.id) ? undefined : 'existed';
}
