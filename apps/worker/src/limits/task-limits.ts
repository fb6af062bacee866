import {
  type Concurrency,
  type JobEnvelope,
  type JobRate,
  NO_SETTINGS,
  rateOf,
  type Settings,
  type TaskRate,
  withTaskKey,
} from '@jetbeat/core';
import type { KnownRate, QueueSettingsWatch, TaskSettingsWatch } from '@jetbeat/jetstream';
import type { Task } from '@jetbeat/task';

/** What tasks, their configuration, and queues say of the limits of single jobs. */
export interface TaskLimits {
  /** The job with the concurrency key that holds for it; cheap where no task says one. */
  keyed(job: JobEnvelope): JobEnvelope;
  /** The rate at which it has to wait its turn, if any; cheap where there is none at all. */
  rateOf(job: JobEnvelope): JobRate | undefined;
  /** Rates, not of keys, for which jobs may be parked that other workers have left, by their hashes. */
  rates(): ReadonlySet<string>;
  /** What holds for a parked job; undefined where its task is not served here. */
  known(job: JobEnvelope): KnownRate | undefined;
  /** Other queues are served. */
  look(): void;
  close(): void;
}

/** What it needs. */
export interface TaskLimitsParams {
  readonly tasks: ReadonlyMap<string, Task>;
  readonly settings?: Settings | undefined;
  /** What this worker serves now. */
  readonly shape: { readonly queues: readonly string[] };
  readonly queueSettings: Pick<QueueSettingsWatch, 'of' | 'onChange'>;
  /** What was said of tasks at run time. */
  readonly taskSettings: Pick<TaskSettingsWatch, 'of' | 'onChange'>;
  /** Other limits may hold, by what was said of a task or of a queue. */
  readonly onChange: (what: 'task' | 'queue') => void;
}

interface Said {
  readonly concurrency?: Concurrency | undefined;
  readonly rate?: TaskRate | undefined;
}

const NOTHING: Said = {};

/** Composes it. What was said at run time wins over the configuration of a task, and that over the task. */
export function createTaskLimits(params: TaskLimitsParams): TaskLimits {
  const { tasks, settings = NO_SETTINGS, shape, queueSettings, taskSettings, onChange } = params;
  const said = new Map<string, Said>();
  let rates = false;
  /** Whether any queue counts its rate per task or key. */
  let ofQueues = false;
  const lookAtTask = (name: string) => {
    const task = tasks.get(name);
    if (!task) return;
    const [own, over] = [taskSettings.of(name), settings.of(name).over.policy];
    const concurrency = own?.concurrency ?? over?.concurrency ?? task.policy.concurrency;
    const rate = own?.rate ?? over?.rate ?? task.policy.rate;
    if (concurrency || rate) said.set(name, { concurrency, rate });
    else said.delete(name);
    rates = [...said.values()].some((one) => one.rate !== undefined);
  };
  const lookAtQueues = () => {
    ofQueues = shape.queues.some((queue) => (queueSettings.of(queue)?.rateLimit?.per ?? 'queue') !== 'queue');
  };
  for (const name of tasks.keys()) lookAtTask(name);
  lookAtQueues();
  const off = [
    taskSettings.onChange((name) => {
      lookAtTask(name);
      onChange('task');
    }),
    queueSettings.onChange(() => {
      lookAtQueues();
      onChange('queue');
    }),
  ];
  const find = (job: Pick<JobEnvelope, 'task' | 'queue' | 'policy'>) =>
    rateOf(job, (said.get(job.task) ?? NOTHING).rate, queueSettings.of(job.queue)?.rateLimit);
  return {
    keyed(job) {
      if (said.size === 0 && job.policy?.concurrency?.by === undefined) return job;
      return tasks.has(job.task) ? withTaskKey(job, said.get(job.task)?.concurrency) : job;
    },
    rateOf: (job) => (rates || ofQueues ? find(job) : undefined),
    rates() {
      if (!rates && !ofQueues) return new Set();
      const { queues } = shape;
      const jobs = [...tasks.keys()].flatMap((task) => queues.map((queue) => ({ task, queue })));
      return new Set(jobs.flatMap((job) => find(job)?.hash ?? []));
    },
    known(job) {
      if (!tasks.has(job.task)) return undefined;
      const found = find(job);
      return found ? { hash: found.hash, pace: found } : {};
    },
    look() {
      lookAtQueues();
      onChange('queue');
    },
    close() {
      for (const stop of off) stop();
    },
  };
}
