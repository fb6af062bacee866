import { isPaused, type JobEnvelope, rateOf, type Settings, withTaskKey } from '@jetbeat/core';
import type { KnownRate } from '@jetbeat/jetstream';
import {
  type Database,
  limitsOf,
  listQueues,
  listTaskLimits,
  listTasks,
  settingsOf,
} from '@jetbeat/postgres';

/** What holds for jobs now, as workers know it. */
export interface KnownLimits {
  /** Undefined for a task that no worker has described. */
  readonly rateOf: (job: JobEnvelope) => KnownRate | undefined;
  /** The job with the key that its task says now; as it is for a task that no worker has described. */
  readonly keyed: (job: JobEnvelope) => JobEnvelope;
  /** The queues of which no job may begin now. */
  readonly paused: ReadonlySet<string>;
}

/** Reads it: said at run time, by the configuration, by the task as it was last described, by the queue. */
export async function knownLimits(db: Database, settings: Settings): Promise<KnownLimits> {
  const [tasks, said, queues] = await Promise.all([listTasks(db), listTaskLimits(db), listQueues(db)]);
  const described = new Map(tasks.map((task) => [task.name, task]));
  const ofQueues = new Map(queues.map((queue) => [queue.name, limitsOf(queue).rateLimit]));
  const saidOf = (name: string) => {
    const task = described.get(name);
    if (!task) return undefined;
    const [own, over] = [said.get(name)?.own, settings.of(name).over.policy];
    return {
      rate: own?.rate ?? over?.rate ?? task.policy?.rate,
      concurrency: own?.concurrency ?? over?.concurrency ?? task.policy?.concurrency,
    };
  };
  const now = Date.now();
  const closed = queues.filter((queue) => isPaused(settingsOf(queue), now));
  return {
    paused: new Set(closed.map(({ name }) => name)),
    rateOf(job) {
      const ofTask = saidOf(job.task);
      if (!ofTask) return undefined;
      const found = rateOf(job, ofTask.rate, ofQueues.get(job.queue));
      return found ? { hash: found.hash, pace: found } : {};
    },
    keyed(job) {
      const ofTask = saidOf(job.task);
      return ofTask ? withTaskKey(job, ofTask.concurrency) : job;
    },
  };
}
