import { JetbeatError } from '@jetbeat/core';
import { isTask, type Task } from '../task.ts';

/** Where a thread or a process of its own finds a task again. */
export interface TaskSource {
  /** URL of the module. */
  readonly module: string;
  /** Where the module does not export the task, but a function that makes it: its name, and its argument as JSON. */
  readonly make?: { readonly export: string; readonly with: unknown };
}

/** A task that the worker has cannot be found again elsewhere. */
class TaskNotThereError extends JetbeatError {
  constructor(name: string, module: string) {
    super(
      'task_not_there',
      `${module} has no task ${name} when it is loaded again; a task with isolation is made the same way each time its module is loaded`,
    );
  }
}

/** What a function that makes tasks is given beside its argument. */
export interface TaskHost {
  /** The span inside of which the caller runs. */
  readonly traceparent: () => string | undefined;
}

/** Finds tasks by their sources; a module is loaded once, and a function called once for each argument. */
export function createTaskFinder(host: TaskHost): (source: TaskSource, name: string) => Promise<Task> {
  const known = new Map<string, Promise<ReadonlyMap<string, Task>>>();
  return async (source, name) => {
    const key = JSON.stringify(source);
    let loading = known.get(key);
    if (!loading) {
      loading = tasksOf(source, host);
      known.set(key, loading);
    }
    const task = (await loading).get(name);
    if (!task) throw new TaskNotThereError(name, source.module);
    return task;
  };
}

async function tasksOf(
  { module: url, make }: TaskSource,
  host: TaskHost,
): Promise<ReadonlyMap<string, Task>> {
  const module = (await import(url)) as Record<string, unknown>;
  const values = make ? await made(module[make.export], make.with, host) : Object.values(module);
  return new Map(
    values
      .flatMap((value) => (Array.isArray(value) ? value : [value]))
      .filter(isTask)
      .map((task) => [task.name, task]),
  );
}

async function made(make: unknown, argument: unknown, host: TaskHost): Promise<unknown[]> {
  if (typeof make !== 'function') return [];
  const answer = (await make(argument, host)) as { tasks?: unknown };
  return [answer.tasks];
}
