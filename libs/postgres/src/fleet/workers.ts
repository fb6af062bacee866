import type { PolicyOverrides, Priority } from '@jetbeat/core';
import type { InferEntity } from '@mikro-orm/core';
import { type Database, inside } from '../database/database.ts';
import { TaskEntity, WorkerEntity } from '../database/entities.ts';
import { known } from '../database/json.ts';

/** A worker as it last spoke of itself. Times in Unix milliseconds. */
export interface WorkerRecord {
  readonly id: string;
  readonly state: 'running' | 'stopped';
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** It takes nothing new. */
  readonly draining: boolean;
  /** Jobs held then. */
  readonly held: number;
  /** By its own clock. */
  readonly startedAt: number;
  /** By PostgreSQL's clock. */
  readonly heardAt: number;
  /** Names of the tasks that it serves. */
  readonly tasks: readonly string[];
}

/** A task as the last worker described it. */
export interface TaskRecord {
  readonly name: string;
  readonly inputSchema?: unknown;
  readonly queue?: string;
  readonly priority?: Priority;
  readonly policy?: PolicyOverrides;
  /** Unix milliseconds. */
  readonly seenAt: number;
}

/** The workers that run and were heard of within `within` milliseconds before `now`. */
export async function liveWorkers(
  db: Database,
  params: { now: number; within: number },
): Promise<WorkerRecord[]> {
  const since = new Date(params.now - params.within);
  const found = await inside(db).entities((em) =>
    em.find(WorkerEntity, { state: 'running', heardAt: { $gt: since } }, { orderBy: { id: 'asc' } }),
  );
  return found.map(workerRecord);
}

function workerRecord(row: InferEntity<typeof WorkerEntity>): WorkerRecord {
  const { id, state, host, pid, version, queues, concurrency, draining, held, tasks } = row;
  const times = { startedAt: row.startedAt.getTime(), heardAt: row.heardAt.getTime() };
  return { id, state, host, pid, version, queues, concurrency, draining, held, tasks, ...times };
}

/** One worker, however long ago it was heard of; undefined when nobody ever was called so. */
export async function getWorker(db: Database, id: string): Promise<WorkerRecord | undefined> {
  const found = await inside(db).entities((em) => em.findOne(WorkerEntity, { id }));
  return found ? workerRecord(found) : undefined;
}

/** How a worker stands. */
export type WorkerState = 'running' | 'draining' | 'silent' | 'stopped';

/** How a worker stands, for whom those are alive of whom was heard after `since`, Unix milliseconds. */
export function workerState(
  { state, draining, heardAt }: Pick<WorkerRecord, 'state' | 'draining' | 'heardAt'>,
  since: number,
): WorkerState {
  if (state === 'stopped') return 'stopped';
  if (heardAt <= since) return 'silent';
  return draining ? 'draining' : 'running';
}

/** Which workers. */
export interface WorkersFilter {
  /** Heard of after this time. */
  readonly heardAfter: number;
  /** Those of which was heard after this time are alive. */
  readonly since: number;
  readonly state?: WorkerState | undefined;
  readonly queue?: string | undefined;
  /** Only those that serve one of these. */
  readonly queues?: readonly string[] | undefined;
}

/** Workers, the one that started last first. Times in Unix milliseconds. */
export async function listWorkers(
  db: Database,
  params: WorkersFilter & {
    readonly limit: number;
    /** The last one of the page before. */
    readonly after?: { readonly startedAt: number; readonly id: string } | undefined;
  },
): Promise<WorkerRecord[]> {
  const { limit, after } = params;
  const startedAt = after && new Date(after.startedAt);
  const where = [
    ...fitsOf(params),
    ...(after && startedAt
      ? [{ $or: [{ startedAt: { $lt: startedAt } }, { startedAt, id: { $gt: after.id } }] }]
      : []),
  ];
  const found = await inside(db).entities((em) =>
    em.find(WorkerEntity, { $and: where }, { orderBy: { startedAt: 'desc', id: 'asc' }, limit }),
  );
  return found.map(workerRecord);
}

/** How many of them there are. */
export function countWorkers(db: Database, filter: WorkersFilter): Promise<number> {
  return inside(db).entities((em) => em.count(WorkerEntity, { $and: fitsOf(filter) }));
}

function fitsOf({ heardAfter, since, state, queue, queues }: WorkersFilter) {
  const alive = { state: 'running', heardAt: { $gt: new Date(since) } } as const;
  const ofState = {
    stopped: { state: 'stopped' },
    silent: { state: 'running', heardAt: { $lte: new Date(since) } },
    running: { ...alive, draining: false },
    draining: { ...alive, draining: true },
  } as const;
  return [
    { heardAt: { $gt: new Date(heardAfter) } },
    ...(state ? [ofState[state]] : []),
    ...(queue === undefined ? [] : [{ queues: { $contains: [queue] } }]),
    ...(queues ? [{ queues: { $overlap: [...queues] } }] : []),
  ];
}

/** The tasks that live workers serve which take jobs, each with the queues from which they take it. */
export async function tasksServed(
  db: Database,
  params: { now: number; within: number },
): Promise<Map<string, Set<string>>> {
  const served = new Map<string, Set<string>>();
  for (const { tasks, queues, draining } of await liveWorkers(db, params)) {
    if (draining) continue;
    for (const task of tasks) served.set(task, new Set([...(served.get(task) ?? []), ...queues]));
  }
  return served;
}

/** Every task that a worker has ever served, in the order of names. */
export async function listTasks(db: Database): Promise<TaskRecord[]> {
  const found = await inside(db).entities((em) => em.find(TaskEntity, {}, { orderBy: { name: 'asc' } }));
  return found.map(toRecord);
}

function toRecord(task: InferEntity<typeof TaskEntity>): TaskRecord {
  const { name, seenAt, inputSchema, queue, priority, policy } = task;
  return { name, seenAt: seenAt.getTime(), ...known({ inputSchema, queue, priority, policy }) };
}
