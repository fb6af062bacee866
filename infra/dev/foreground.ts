import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { tieToThisProcess } from './server-process.ts';
import type { Stoppable } from './until-stopped.ts';

/** A program that shares our terminal and is ended with all its children. */
export interface Foreground extends Stoppable {
  /** Its exit code, as a shell would put it when a signal ended it; never rejects. */
  readonly exited: Promise<number>;
}

const softMs = 6000;

/** Runs a program in a process group of its own, so that nothing of it is left when it is stopped or this process dies. */
export function runInForeground(params: {
  command: string;
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
}): Foreground {
  const child = spawn(params.command, [...params.args], {
    cwd: params.cwd,
    env: params.env,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = new Promise<number>((resolve) => {
    child.on('error', (error) => {
      console.error(`cannot run ${params.command}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // Nothing of it is left.
    }
  };
  if (child.pid !== undefined) tieToThisProcess(-child.pid, exited);
  // Also when it has ended by itself: what it forgot goes with it.
  void exited.then(() => signalGroup('SIGKILL'));
  const stop = async () => {
    signalGroup('SIGTERM');
    const timer = setTimeout(() => signalGroup('SIGKILL'), softMs);
    await exited;
    clearTimeout(timer);
  };
  return { exited, stop, kill: () => signalGroup('SIGKILL') };
}
