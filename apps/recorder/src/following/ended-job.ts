import { type EndedJob, isTerminal } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';

/** A job of history as one that has ended. */
export function endedJob(job: JobRecord): EndedJob {
  const { id, task, queue, state, attempt, createdAt, dueAt, finishedAt = dueAt } = job;
  if (!isTerminal(state)) throw new TypeError(`the job ${id} has not ended: it is ${state}`);
  const { meta, reason, result, error } = job;
  return { id, task, queue, state, attempt, createdAt, finishedAt, meta, reason, result, error };
}
