import { nearest, type Reason } from '@jetbeat/core';
import type { Warning } from '@jetbeat/core/http';
import type { JobRecord, TaskRecord } from '@jetbeat/postgres';
import { createBriefly } from '../briefly.ts';

/** What is known of tasks and of the workers that serve them, as of a moment ago. */
export interface Fleet {
  readonly tasks: ReadonlyMap<string, TaskRecord>;
  /** Task name -> queues from which a live worker takes it. */
  readonly served: ReadonlyMap<string, ReadonlySet<string>>;
  /** Whoever looks at it may be told of tasks on these queues alone; absent: of all. */
  readonly only?: readonly string[];
  /** What unknown names were found to mean so far. */
  readonly slips?: Map<string, string | undefined>;
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
    freshMs: () => FRESH_MS,
    most: 1,
    ...(monotonic ? { monotonic } : {}),
  });
  const look = async (): Promise<Fleet> => {
    const [tasks, served] = await Promise.all([listTasks(), tasksServed()]);
    return { tasks: new Map(tasks.map((task) => [task.name, task])), served, slips: new Map() };
  };
  return () => briefly('fleet', look);
}

/** What a caller should know when nobody takes this task from this queue now. */
export function warningsFor(fleet: Fleet, job: { task: string; queue: string }): Warning[] {
  const queues = fleet.served.get(job.task);
  if (queues?.has(job.queue)) return [];
  const where = queues && queues.size > 0 ? `; it is served on ${[...queues].slice(0, 5).join(', ')}` : '';
  const message = `no running worker serves the task "${job.task}" on the queue "${job.queue}"${where}: the job waits until one does`;
  // What is on queues of others is, for whoever may not be told of these, in no way another than what there is not.
  const isKnown = fleet.only ? where !== '' : queues !== undefined || fleet.tasks.has(job.task);
  const suggestion = isKnown ? undefined : taskMeant(job.task, fleet);
  if (suggestion === undefined) return [{ code: 'no_worker', message }];
  return [{ code: 'no_worker', message: `${message}; did you mean "${suggestion}"?`, suggestion }];
}

/** Names that a slip is compared with; names alike take 1.5 to 4 ms, of 64 letters that are far apart 22. */
const MOST_NAMES = 1_000;
/** Slips that are remembered for as long as the picture is. */
const MOST_SLIPS = 200;

/** The task that one of which nobody has heard was probably meant to be; one that is served goes before one that was. */
export function taskMeant(task: string, { tasks, served, only, slips }: Fleet): string | undefined {
  const known = only ? undefined : slips;
  if (known?.has(task)) return known.get(task);
  const live = [...served].flatMap(([name, queues]) => (queues.size > 0 ? [name] : []));
  // Where a task of the past belongs is not known by its name alone.
  const names = only ? live : [...new Set([...live, ...tasks.keys()])];
  const found = nearest(task, names.slice(0, MOST_NAMES));
  if (known && known.size < MOST_SLIPS) known.set(task, found);
  return found;
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
