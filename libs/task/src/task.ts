import type { Isolation, PolicyOverrides, TaskInfo, TaskRef } from '@jetbeat/core';
import type { Context } from './context.ts';

/** Known to every copy of this package, so that a task of another copy is recognised. */
const BRAND = Symbol.for('jetbeat.task');

/** A defined task: what `defineTask` makes, a caller enqueues and a worker runs. */
export interface Task<Input = unknown, Result = unknown> extends TaskRef<Input> {
  /** What the task says about retry and time limits, in milliseconds; a call may say otherwise. */
  readonly policy: PolicyOverrides;
  /** Where its handler runs; absent: the task does not say. */
  readonly isolation?: Isolation;
  readonly check: NonNullable<TaskRef['check']>;
  /** JSON Schema of the input, where the schema can tell it. */
  readonly inputSchema: () => unknown;
  /** The handler, for an input that was checked. Workers call it through `execute` only. */
  readonly handler: (input: unknown, ctx: Context) => Result | Promise<Result>;
}

/** Marks an object as a task. */
export function brandTask<T extends object>(task: T): T {
  return Object.freeze(Object.defineProperty(task, BRAND, { value: true }));
}

/** The same task, whose handler runs elsewhere. */
export function withIsolation(task: Task, isolation: Isolation): Task {
  return brandTask({ ...task, isolation });
}

/** Whether `value` came from `defineTask`. */
export function isTask(value: unknown): value is Task {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** What a worker says of a task that it serves. */
export function taskInfo(task: Task): TaskInfo {
  const { name, queue, priority, policy } = task;
  const inputSchema = task.inputSchema();
  return {
    name,
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(Object.keys(policy).length === 0 ? {} : { policy }),
  };
}
