import { execFile } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from './result.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

/** What rows depend on beside Jetbeat's code. */
export async function machineFacts(params: { natsBin: string; postgres: string }): Promise<Machine> {
  const commit = await commitOf();
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch} ${release()}`,
    node: process.versions.node,
    nats: (await output(params.natsBin, ['--version'])).replace(/^nats-server: v/, ''),
    postgres: params.postgres,
    ...(commit === undefined ? {} : { commit }),
  };
}

async function commitOf(): Promise<string | undefined> {
  try {
    const commit = await output('git', ['rev-parse', '--short', 'HEAD']);
    const changed = await output('git', ['status', '--porcelain', '--untracked-files=no']);
    return changed === '' ? commit : `${commit}+`;
  } catch {
    return undefined;
  }
}

async function output(command: string, args: readonly string[]): Promise<string> {
  return (await run(command, [...args], { cwd: root, timeout: 20_000 })).stdout.trim();
}
