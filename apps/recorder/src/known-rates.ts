import { type JobEnvelope, rateOf, type Settings } from '@jetbeat/core';
import type { KnownRate } from '@jetbeat/jetstream';
import { type Database, limitsOf, listQueues, listTaskLimits, listTasks } from '@jetbeat/postgres';

/**
 * Tells which rate holds for jobs now, as workers know it: said at run time, by the configuration, by the task as it was last
 * described, by the queue. Undefined for a task that no worker has described.
 */
export async function knownRates(
  db: Database,
  settings: Settings,
): Promise<(job: JobEnvelope) => KnownRate | undefined> {
  const [tasks, said, queues] = await Promise.all([listTasks(db), listTaskLimits(db), listQueues(db)]);
  const described = new Map(tasks.map((task) => [task.name, task]));
  const ofQueues = new Map(queues.map((queue) => [queue.name, limitsOf(queue).rateLimit]));
  return (job) => {
    const task = described.get(job.task);
    if (!task) return undefined;
    const over = settings.of(job.task).over.policy;
    const rate = said.get(job.task)?.own.rate ?? over?.rate ?? task.policy?.rate;
    const found = rateOf(job, rate, ofQueues.get(job.queue));
    return found ? { hash: found.hash, pace: found } : {};
  };
}
