import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Task } from '@jetbeat/task';
import { runTask, type TaskRun } from '@jetbeat/task/testing';
import { type CommandConfig, commandRun } from './command-run.ts';
import { openProcessGroups, type ProcessGroups } from './process-groups.ts';

/** What commands get of this process's environment. */
export const environment: Readonly<Record<string, string>> = Object.fromEntries(
  ['PATH', 'HOME', 'LANG'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

/** A folder, and process groups of a test's own. */
export interface Workshop {
  readonly dir: string;
  readonly groups: ProcessGroups;
  task(it: CommandConfig, traceparent?: string): Task<{ command: string; args?: string[]; input?: unknown }>;
  /** Runs the command `it`. */
  run(it: CommandConfig, input?: object, options?: Parameters<typeof runTask>[2]): Promise<TaskRun>;
  close(): Promise<void>;
}

/** Opens one. */
export async function openWorkshop(): Promise<Workshop> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'jetbeat-')));
  const groups = openProcessGroups();
  const task = (it: CommandConfig, traceparent?: string) =>
    commandRun({ commands: { it }, environment, groups, traceparent: () => traceparent });
  return {
    dir,
    groups,
    task,
    run: (it, input = {}, options = {}) =>
      runTask(task(it), { command: 'it', ...input }, { clock: systemClock, ...options }),
    async close() {
      await groups.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A command as the configuration has it. */
export function command(run: readonly string[], more: Partial<CommandConfig> = {}): CommandConfig {
  return { run, args: false, env: {}, graceMs: 5_000, maxOutput: 16_384, ...more };
}

/** A program in the words of Node; `say` reports. */
export function node(code: string, more: Partial<CommandConfig> = {}): CommandConfig {
  const say = `const say = (line) => fs.writeSync(3, JSON.stringify(line) + '\\n')`;
  return command([process.execPath, '-e', `const fs = require('node:fs'); ${say}; ${code}`], more);
}

/** A program in the words of a shell. */
export function sh(code: string, more: Partial<CommandConfig> = {}): CommandConfig {
  return command(['/bin/sh', '-c', code], more);
}
