import type { EndedEvent } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';

/**
 * The event of a job that the API has cancelled before anybody began it. History has it already, and takes the event as a repeat; it is
 * for those who follow what happens.
 */
export function cancelledEvent(job: JobRecord): EndedEvent | undefined {
  const { id, task, queue, priority, createdAt, runAt, attempt, run, parks, traceId, reason, finishedAt } =
    job;
  if (job.state !== 'cancelled' || reason === undefined || finishedAt === undefined) return undefined;
  return {
    ...{ kind: 'ended', job: id, task, queue, priority, createdAt, runAt, attempt, run, parks, traceId },
    ...{ state: 'cancelled', reason, at: finishedAt },
  };
}
