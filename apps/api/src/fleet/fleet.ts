import type { Reason, Warning } from '@jetbeat/core';
import type { JobRecord, TaskRecord } from '@jetbeat/postgres';
import { createBriefly } from '../briefly.ts';

/** What is known of tasks and of the workers that serve them, as of a moment ago. */
export interface Fleet {
  readonly tasks: ReadonlyMap<string, TaskRecord>;
  /** Task name -> queues from which a live worker takes it. */
  readonly served: ReadonlyMap<string, ReadonlySet<string>>;
}

/** How old the picture may be. */
const FRESH_MS = 1_000;

/** Looks at the fleet at most once a second, however many ask. */
export function watchFleet(params: {
  listTasks: () => Promise<readonly TaskRecord[]>;
  tasksServed: () => Promise<ReadonlyMap<string, ReadonlySet<string>>>;
  /** Milliseconds. */
  monotonic?: () => number;
}): () => Promise<Fleet> {
  const { listTasks, tasksServed, monotonic } = params;
  const briefly = createBriefly<Fleet>({
    ...{ freshMs: () => FRESH_MS, most: 1 },
    ...(monotonic ? { monotonic } : {}),
  });
  const look = async (): Promise<Fleet> => {
    const [tasks, served] = await Promise.all([listTasks(), tasksServed()]);
    return { tasks: new Map(tasks.map((task) => [task.name, task])), served };
  };
  return () => briefly('fleet', look);
}

/** What a caller should know when nobody takes this task from this queue now. */
export function warningsFor(fleet: Fleet, job: { task: string; queue: string }): Warning[] {
  const queues = fleet.served.get(job.task);
  if (queues?.has(job.queue)) return [];
  const where = queues && queues.size > 0 ? `; it is served on ${[...queues].slice(0, 5).join(', ')}` : '';
  const message = `no running worker serves the task "${job.task}" on the queue "${job.queue}"${where}: the job waits until one does`;
  return [{ code: 'no_worker', message }];
}

/** The stored reason of a job, or, where it waits because nobody takes it from its queue now, that. */
export function reasonNow(
  fleet: Fleet,
  job: Pick<JobRecord, 'task' | 'queue' | 'state' | 'reason'>,
): Reason | undefined {
  const mayWait = job.state === 'queued' || (job.state === 'parked' && job.reason?.code === 'no_worker');
  const [warning] = mayWait ? warningsFor(fleet, job) : [];
  return warning ? { code: warning.code, text: warning.message } : job.reason;
}
