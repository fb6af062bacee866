import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** How a process ended: with a code, or by a signal. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A server that runs; `stop` and `kill` may be called at any time and more than once. */
export interface ServerProcess {
  readonly pid: number;
  /** Settles when the process has ended, however it ended; never rejects. */
  readonly exited: Promise<Exit>;
  /** Ends it in good order, the hard way after a bound; returns when it has ended. */
  stop(): Promise<void>;
  /** `kill -9`, now; wait for `exited` before it is started again on the same folder. */
  kill(): void;
}

/** What is started, and how it is asked to stop: each signal in turn, after waiting so many milliseconds. */
export interface ServerProcessParams {
  command: string;
  args: readonly string[];
  cwd: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  outputFile: string;
  stopSignals: readonly { signal: NodeJS.Signals; waitMs: number }[];
  /** Keeps running when the process that started it dies; for a start that finds its leftovers again. */
  outlive?: boolean;
  /** Told the number as soon as there is one, long before the server is ready. */
  onSpawn?: (pid: number) => void;
}

/**
 * Starts a server in a session of its own, so that Ctrl-C in the terminal does not reach it and apps can be stopped
 * first. Its output goes straight to a file: it outlives the process that started it without a broken pipe.
 * Throws when the command cannot be started.
 */
export async function startServerProcess(params: ServerProcessParams): Promise<ServerProcess> {
  const output = openSync(params.outputFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(params.command, [...params.args], {
      cwd: params.cwd,
      env: params.env ?? process.env,
      detached: true,
      stdio: ['ignore', output, output],
      ...(params.uid === undefined ? {} : { uid: params.uid }),
      ...(params.gid === undefined ? {} : { gid: params.gid }),
    });
  } finally {
    closeSync(output);
  }
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${params.command} did not start`);
  params.onSpawn?.(pid);
  if (params.outlive !== true) tieToThisProcess(pid, exited);
  const signalIt = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  };
  const stop = async () => {
    for (const { signal, waitMs } of params.stopSignals) {
      signalIt(signal);
      if (await endsWithin(exited, waitMs)) return;
    }
    signalIt('SIGKILL');
    await exited;
  };
  let stopping: Promise<void> | undefined;
  return {
    pid,
    exited,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    kill: () => signalIt('SIGKILL'),
  };
}

/**
 * Ends another process when this one dies, in whatever way: a small shell holds the other end of a pipe that closes
 * with us. It is told to leave when the other has ended, since its number may be given to a stranger then.
 * @param pid negative for a whole process group, as in kill(2)
 */
export function tieToThisProcess(pid: number, exited: Promise<unknown>): void {
  const watcher = spawn('/bin/sh', ['-c', 'read -r _ || kill -9 "$0"', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  watcher.unref();
  void exited.then(() => watcher.stdin.end('done\n'));
}

/** True when the process has ended within the bound. */
async function endsWithin(exited: Promise<Exit>, milliseconds: number): Promise<boolean> {
  const bound = new AbortController();
  const ended = exited.then(() => true);
  const late = delay(milliseconds, false, { signal: bound.signal }).catch(() => false);
  const result = await Promise.race([ended, late]);
  bound.abort();
  return result;
}

/** What waiting for a server came to. */
export type Readiness = 'ready' | 'exited' | 'late' | 'stopped';

const troubles = { exited: 'ended at once', late: 'did not become ready in time', stopped: 'was stopped' };

/** In words, why there is no server. */
export function troubleOf(state: Exclude<Readiness, 'ready'>): string {
  return troubles[state];
}

/**
 * Asks `ready` every 20 ms until it says yes. Returns 'ready', 'exited' when the process ended first, 'late', or
 * 'stopped' when the signal came.
 */
export async function becomesReady(params: {
  server: ServerProcess;
  ready: () => Promise<boolean>;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}): Promise<Readiness> {
  let exited = false;
  void params.server.exited.then(() => {
    exited = true;
  });
  const end = performance.now() + params.timeoutMs;
  while (performance.now() < end) {
    if (params.signal?.aborted) return 'stopped';
    if (await params.ready()) return exited ? 'exited' : 'ready';
    if (exited) return 'exited';
    await delay(20);
  }
  return 'late';
}

/** The last lines of a log file, or an empty string when there is none. */
export async function tailOf(file: string, lines = 5): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
