import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { HardTimeLimitError, systemClock } from '@jetbeat/task';
import { findProgram } from './find-program.ts';
import { type ProcessGroups, signalGroup } from './process-groups.ts';
import type { ReportLines } from './report-lines.ts';
import { Tail } from './tail.ts';

/** A program to be run. */
export interface RunProgramParams {
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** For its stdin. */
  readonly input: string;
  /** For its descriptor 3. */
  readonly lines: ReportLines;
  /** Bytes of the end of stdout, and of stderr. */
  readonly maxOutput: number;
  readonly timeoutMs: number | undefined;
  /** From SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
  readonly deadline: Date;
  readonly groups: ProcessGroups;
}

/** How a program ended. */
export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly isTimedOut: boolean;
  readonly stdout: Tail;
  readonly stderr: Tail;
}

/** What a program that has left the group behind may still write, milliseconds; nobody waits longer for it. */
const DRAIN_MS = 1_000;

/**
 * The group says itself that it has begun, and becomes the program afterwards: so there is no moment at which the program runs
 * and whoever would end it, were this process killed, does not know it. The words of the program are arguments, never code.
 */
const announced = (env: RunProgramParams['env']) =>
  [
    'echo "+$$" >&4 || exit',
    ...SET_BY_SHELLS.filter((name) => !Object.hasOwn(env, name)).map((name) => `unset ${name}`),
    'exec "$@" 4>&-',
  ].join('; ');
/** A program gets no variable that nobody configured. */
const SET_BY_SHELLS = ['PWD', 'OLDPWD', 'SHLVL'];

/**
 * Runs a program in a process group of its own, and waits until it has ended. At an abort and after its time the whole
 * group gets SIGTERM and then, at the hard limit of the job at the latest, SIGKILL. What is left of the group when its
 * first process has ended is killed.
 * @throws the system's error when it cannot be started
 */
export async function runProgram(params: RunProgramParams): Promise<ProgramEnd> {
  const { argv, cwd, env, input, lines, maxOutput, groups } = params;
  const [program = ''] = argv;
  await findProgram(program, cwd ?? process.cwd(), env.PATH);
  const child = spawn('/bin/sh', ['-c', announced(env), program, ...argv], {
    ...(cwd === undefined ? {} : { cwd }),
    env,
    detached: true,
    shell: false,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', groups.announcements()],
  }) as ChildProcessWithoutNullStreams;
  const group = child.pid;
  if (group === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw error;
  }
  groups.add(group);
  child.on('error', () => undefined);
  const stdout = new Tail(maxOutput);
  const stderr = new Tail(maxOutput);
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const reports = child.stdio[3] as Readable;
  reports.on('data', (chunk: Buffer) => lines.push(chunk));
  // A program that closes its ends early, or does not read its input, is none the worse for it.
  for (const stream of [child.stdin, child.stdout, child.stderr, reports])
    stream.on('error', () => undefined);

  const closed = once(child, 'close');
  const ending = once(child, 'exit');
  child.stdin.end(input);
  const limits = stopInTime(params, group);
  const [exitCode, killedBy] = (await ending) as [number | null, NodeJS.Signals | null];
  const isTimedOut = limits.clear();
  groups.remove(group);
  await drained(closed, [child.stdout, child.stderr, reports]);
  lines.end();
  return { exitCode, killedBy, isTimedOut, stdout, stderr };
}

function stopInTime(params: RunProgramParams, group: number) {
  const { timeoutMs, graceMs, signal, deadline } = params;
  let isTimedOut = false;
  let kill: NodeJS.Timeout | undefined;
  const stop = () => {
    if (kill !== undefined) return;
    const left = deadline.getTime() - systemClock.now();
    const isOver = signal.reason instanceof HardTimeLimitError;
    if (!isOver) signalGroup(group, 'SIGTERM');
    const wait = isOver ? 0 : Math.max(0, Math.min(graceMs, left));
    kill = setTimeout(() => signalGroup(group, 'SIGKILL'), wait);
  };
  const late = () => {
    isTimedOut = !signal.aborted;
    stop();
  };
  const timeout = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return {
    /** Leaves no timer and no listener behind; answers whether the time was over first. */
    clear() {
      clearTimeout(timeout);
      clearTimeout(kill);
      signal.removeEventListener('abort', stop);
      return isTimedOut;
    },
  };
}

/** Whoever has left the group may hold the streams open for ever. */
async function drained(closed: Promise<unknown>, streams: readonly Readable[]): Promise<void> {
  const timer = setTimeout(() => {
    for (const stream of streams) stream.destroy();
  }, DRAIN_MS);
  await closed;
  clearTimeout(timer);
}
