import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JetbeatError } from '@jetbeat/core';
import { findPackage } from './find-package.ts';
import type { TaskSource } from './isolated/task-source.ts';
import { modulesIn } from './modules-in.ts';
import { isTask, type Task } from './task.ts';

/** The tasks of a worker cannot be loaded; the message names the file and what to change. */
export class TaskLoadError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('task_load', message, options);
  }
}

/** A task, and where a thread or a child process finds it again. */
export interface LoadedTask {
  readonly task: Task;
  readonly source?: TaskSource;
}

const BUILT_IN = 'Jetbeat itself';

/**
 * Loads every exported task of the modules, folders and packages in `paths` (`JETBEAT_TASKS`); relative ones are meant
 * from `base`. In a folder every module counts, those in folders below it too, tests and declarations apart.
 * @throws TaskLoadError for a path that leads nowhere, a module that fails, a path without a task, a name used twice
 */
export async function loadTasks(params: {
  readonly paths: readonly string[];
  readonly base: string;
  readonly builtIns?: readonly Task[];
  /** Where the built-in tasks are found again. */
  readonly builtInSource?: TaskSource;
}): Promise<ReadonlyMap<string, LoadedTask>> {
  const known = new Map<string, LoadedTask & { readonly from: string }>();
  const source = params.builtInSource;
  for (const task of params.builtIns ?? []) add(known, { task, from: BUILT_IN, ...(source && { source }) });
  for (const path of params.paths) {
    let found = 0;
    for (const file of await filesOf(path, params.base)) {
      for (const task of await tasksOf(file)) {
        add(known, { task, from: file, source: { module: pathToFileURL(file).href } });
        found++;
      }
    }
    if (found === 0)
      throw new TaskLoadError(
        `JETBEAT_TASKS: ${path} exports no task: export what defineTask returns, or take it out of JETBEAT_TASKS`,
      );
  }
  return known;
}

function add(
  known: Map<string, LoadedTask & { readonly from: string }>,
  loaded: LoadedTask & { readonly from: string },
): void {
  const { task, from } = loaded;
  const before = known.get(task.name);
  // One task may be exported by its module and again by an index.
  if (before?.task === task) return;
  if (before) {
    throw new TaskLoadError(
      `the task ${task.name} is defined twice, by ${before.from} and by ${from}; give one of them another name`,
    );
  }
  known.set(task.name, loaded);
}

async function filesOf(path: string, base: string): Promise<readonly string[]> {
  const absolute = resolve(base, path);
  const entry = await stat(absolute).catch(() => undefined);
  if (entry?.isFile()) return [await realpath(absolute)];
  if (entry?.isDirectory()) return modulesIn(await realpath(absolute));
  const inPackage = path.startsWith('.') || path.startsWith('/') ? undefined : await findPackage(path, base);
  if (inPackage) return [inPackage];
  const hint = /\s/.test(path) ? '; several paths are separated by commas' : '';
  throw new TaskLoadError(
    `JETBEAT_TASKS: ${path} is neither a file or folder (looked for ${absolute}) nor a package that is installed at ${base}${hint || '; mend the path, or take it out of JETBEAT_TASKS'}`,
  );
}

async function tasksOf(file: string): Promise<readonly Task[]> {
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (cause) {
    throw new TaskLoadError(
      `JETBEAT_TASKS: ${file} cannot be loaded: ${whyOf(cause)}; mend it, or take it out of JETBEAT_TASKS`,
      { cause },
    );
  }
  return Object.values(module)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isTask);
}

/** What was thrown, and where in the user's own code. */
function whyOf(cause: unknown): string {
  if (!(cause instanceof Error)) return `it throws ${String(cause)}`;
  const frames = cause.stack?.match(/(?:file:\/\/)?\/[^\s():]+:\d+(?::\d+)?/g) ?? [];
  const [at] = frames.filter((frame) => !frame.includes('/node_modules/'));
  return `${cause.name}: ${cause.message}${at ? ` (${at.replace('file://', '')})` : ''}`;
}
