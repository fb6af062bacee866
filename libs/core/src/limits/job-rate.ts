import type { JobEnvelope } from '../jobs/envelope.ts';
import { concurrencyHash } from '../policy/concurrency.ts';
import type { Pace } from './rate.ts';
import type { TaskRate } from './rate-input.ts';
import type { RateLimit } from './rate-limit.ts';

/** The rate that holds for a job. */
export interface JobRate extends Pace {
  /** Whose rate it is, in words that people read: `task mail.send`. */
  readonly name: string;
  /** Stands for the name, as `concurrencyHash` does. */
  readonly hash: string;
}

/**
 * The rate that holds for a job, if any: that of its task, else one of its queue that is counted per task or key. There is one, so
 * that no start of one rate is used up while the job waits for another.
 */
export function rateOf(
  job: Pick<JobEnvelope, 'task' | 'queue' | 'policy'>,
  ofTask: TaskRate | undefined,
  ofQueue: RateLimit | undefined,
): JobRate | undefined {
  const rate = ofTask ?? ofQueue;
  if (!rate?.per || rate.per === 'queue') return undefined;
  const { limit, periodMs, burst, per } = rate;
  const key = job.policy?.concurrency?.key;
  if (per === 'key' && key === undefined) return undefined;
  const whose = ofTask ? `task ${job.task}` : `queue ${job.queue}`;
  const part = per === 'key' ? `, key ${key}` : ofTask ? '' : `, task ${job.task}`;
  const name = whose + part;
  return {
    name,
    hash: concurrencyHash(name),
    limit,
    periodMs,
    ...(burst === undefined ? {} : { burst }),
  };
}
