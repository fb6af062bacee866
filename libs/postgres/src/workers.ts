import type { PolicyOverrides, Priority } from '@jetbeat/core';
import type { InferEntity } from '@mikro-orm/core';
import { type Database, inside } from './database.ts';
import { TaskEntity, WorkerEntity } from './entities.ts';
import { known } from './json.ts';

/** A worker as it last spoke of itself. Times in Unix milliseconds. */
export interface WorkerRecord {
  readonly id: string;
  readonly state: 'running' | 'stopped';
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly queues: readonly string[];
  readonly concurrency: number;
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
  return found.map(
    ({ id, state, host, pid, version, queues, concurrency, held, startedAt, heardAt, tasks }) => ({
      id,
      state,
      host,
      pid,
      version,
      queues,
      concurrency,
      held,
      tasks,
      startedAt: startedAt.getTime(),
      heardAt: heardAt.getTime(),
    }),
  );
}

/** The tasks that live workers serve, each with the queues from which they take it. */
export async function tasksServed(
  db: Database,
  params: { now: number; within: number },
): Promise<Map<string, Set<string>>> {
  const served = new Map<string, Set<string>>();
  for (const { tasks, queues } of await liveWorkers(db, params)) {
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
