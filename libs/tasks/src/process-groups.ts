import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The process groups of the commands that run, none of which outlives this process. */
export interface ProcessGroups {
  /** Where a group says of itself that it has begun, as "+<group>", before its program runs: who would end it if this process dies listens there. */
  announcements(): Writable;
  /** A group that has announced itself; its number is the process id of its first process. */
  add(group: number): void;
  /** Kills what is left of a group that has ended. */
  remove(group: number): void;
  /** Kills those that run. */
  kill(): void;
  /** Kills all that is left, within two seconds. Twice is safe. */
  close(): Promise<void>;
}

/** The shell that listens. */
type Watch = ChildProcessByStdio<Writable, null, null>;

const WATCH = fileURLToPath(new URL('./watch-groups.sh', import.meta.url));
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Keeps the groups. Beside this process a shell of some hundred KiB waits, from before the first command on, for the end of a pipe
 * that closes when this process dies, also by kill -9, and then kills the groups.
 */
export function openProcessGroups(): ProcessGroups {
  const groups = new Set<number>();
  let watch: Watch | undefined;
  let closed: Promise<void> | undefined;
  const tell = (line: string) => watch?.stdin.write(`${line}\n`);
  const begin = (): Watch => {
    const started = spawn('/bin/sh', [WATCH], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    });
    const gone = () => {
      if (watch === started) watch = undefined;
    };
    started.on('error', gone).on('exit', gone);
    started.stdin.on('error', () => undefined);
    started.unref();
    watch = started;
    for (const group of groups) tell(`+${group}`);
    return started;
  };
  const kill = () => {
    for (const group of groups) signalGroup(group, 'SIGKILL');
  };
  const close = async () => {
    kill();
    groups.clear();
    const last = watch;
    if (!last) return;
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(timer.resolve, CLOSE_TIMEOUT_MS);
    last.once('exit', timer.resolve);
    last.stdin.end();
    await timer.promise;
    clearTimeout(timeout);
  };
  return {
    announcements: () => (watch ?? begin()).stdin,
    add(group) {
      groups.add(group);
      // It may have announced itself to one that has died since.
      if (!watch) begin();
    },
    remove(group) {
      signalGroup(group, 'SIGKILL');
      groups.delete(group);
      tell(`-${group}`);
    },
    kill,
    close: () => (closed ??= close()),
  };
}

/** Sends a signal to every process of a group; one that is gone is none the worse for it. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // macOS says EPERM of a group that has only zombies left.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
