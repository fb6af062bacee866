import { INLINE, isolationOf, type Settings } from '@jetbeat/core';
import {
  type LoadedTask,
  loadTasks,
  type Task,
  TaskLoadError,
  type TaskSource,
  withIsolation,
} from '@jetbeat/task';
import type { BuiltInTasks, BuiltInTasksParams } from '@jetbeat/tasks';

/** What a worker serves, and where threads and child processes find it again. */
export interface TaskSet {
  readonly tasks: ReadonlyMap<string, Task>;
  readonly sources: ReadonlyMap<string, TaskSource>;
}

/**
 * Loads the tasks of a worker; each has the isolation that configuration and task together give it.
 * @param params.builtIn made from `builtInParams`, from which a child process makes them anew
 * @param params.given tasks of the program that holds the worker; they are in its memory only, so they run inline
 * @throws TaskLoadError as `loadTasks`, and for a given task with another isolation
 */
export async function loadTaskSet(params: {
  readonly paths: readonly string[];
  readonly base: string;
  readonly builtIn: BuiltInTasks;
  readonly builtInParams: BuiltInTasksParams;
  readonly given: readonly Task[];
  readonly settings: Settings;
}): Promise<TaskSet> {
  const { paths, base, builtIn, builtInParams, given, settings } = params;
  const loaded = await loadTasks({
    paths,
    base,
    builtIns: builtIn.tasks,
    builtInSource: {
      module: import.meta.resolve('@jetbeat/tasks'),
      make: { export: 'builtInTasks', with: builtInParams },
    },
  });
  const all = new Map<string, LoadedTask>([
    ...loaded,
    ...given.map((task) => [task.name, { task }] as const),
  ]);
  const sources = new Map<string, TaskSource>();
  const tasks = new Map<string, Task>();
  for (const [name, { task, source }] of all) {
    const isolation = isolationOf(settings.of(name), task.isolation);
    tasks.set(name, isolation === (task.isolation ?? INLINE) ? task : withIsolation(task, isolation));
    if (source) sources.set(name, source);
    else if (isolation.kind !== 'inline') {
      throw new TaskLoadError(
        `the task ${name} has isolation "${isolation.kind}" but was given in memory, where no ${isolation.kind} finds it: export it from a module that JETBEAT_TASKS names`,
      );
    }
  }
  return { tasks, sources };
}
