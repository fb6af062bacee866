import type { QueueRecord } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';

/** By what a queue may be used. */
interface Uses {
  /** What is said of it in PostgreSQL; undefined: nothing. */
  readonly queue: Pick<QueueRecord, 'initial' | 'purge'> | undefined;
  /** It stands in the configuration of this process. */
  readonly isConfigured: boolean;
  /** Live workers that take jobs from it. */
  readonly workers: readonly string[];
  /** Any job of it is not over. */
  readonly hasJobs: boolean;
}

/**
 * Refuses to delete a queue that somebody would miss.
 * @throws ApiError queue_in_use with by what
 */
export function checkUnused(name: string, { queue, isConfigured, workers, hasJobs }: Uses): void {
  const [worker] = workers;
  // Without any setting there it is not known here, and is made again by whoever reads that configuration.
  if (isConfigured || Object.keys(queue?.initial ?? {}).length > 0)
    throw inUse(name, 'it stands in the configuration: take it out there first');
  if (worker !== undefined) {
    const tell = `POST /api/v1/workers/${worker}/queues {"remove": ["${name}"]}`;
    throw inUse(name, `the worker ${worker} takes jobs from it: tell it not to (${tell})`);
  }
  if (queue?.purge && queue.purge.doneAt === undefined)
    throw inUse(name, 'it is being purged: repeat when that is done');
  if (!hasJobs) return;
  const purge = `POST /api/v1/queues/${name}/purge {"timers": true}`;
  throw inUse(name, `it has jobs that are not over: let them end, or remove them (${purge})`);
}

function inUse(name: string, why: string): ApiError {
  return new ApiError('queue_in_use', `the queue ${name} is in use: ${why}`);
}
