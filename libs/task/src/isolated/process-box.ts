import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { StoredError } from '@jetbeat/core';
import { describeThrown } from '../describe-thrown.ts';
import { type Box, ChildLostError, CLOSE_MS } from './box.ts';
import type { FromBox } from './messages.ts';

const ENTRY = fileURLToPath(new URL('./process-entry.ts', import.meta.url));

const NOT_STARTED = 'its process did not start';

/** What a child process is started with. */
export interface ProcessBoxOptions {
  /** It says how much memory it holds. */
  readonly watchesMemory: boolean;
  /** Flags of Node, in place of the worker's own. */
  readonly execArgv?: readonly string[] | undefined;
}

/**
 * Starts a child process in a process group of its own. SIGKILL goes to the whole group, when it is killed as well as after it
 * has ended by itself; what a handler puts into another group or session is its own affair.
 */
export function openProcessBox(options: ProcessBoxOptions): Box {
  const { watchesMemory, execArgv = ownFlags() } = options;
  let child: ChildProcess;
  try {
    child = fork(ENTRY, [String(process.pid), watchesMemory ? 'memory' : 'none'], {
      detached: true,
      execArgv: [...execArgv],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  } catch (error) {
    // Of some errors of the system Node tells by an event, of others (ENOMEM) so.
    return neverStarted(describeThrown(error).message);
  }
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<ChildLostError>();
  let listener: ((message: FromBox) => void) | undefined;
  let fatal: StoredError | undefined;
  let alive = true;
  let started = false;
  let timer: NodeJS.Timeout | undefined;
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  };
  const kill = () => {
    alive = false;
    killGroup();
  };
  const gone = (error: ChildLostError) => {
    alive = false;
    clearTimeout(timer);
    killGroup();
    ended.resolve(error);
    ready.resolve();
  };
  child.on('message', (message: FromBox) => {
    if (message.kind === 'ready') {
      started = true;
      ready.resolve();
    } else if (message.kind === 'fatal') fatal = message.error;
    else listener?.(message);
  });
  // A handler that closes the channel can tell nothing any more.
  child.on('disconnect', kill);
  child.on('error', (error) => {
    if (child.pid === undefined) gone(new ChildLostError(`${NOT_STARTED}: ${error.message}`));
  });
  child.on('exit', (code, signal) => gone(new ChildLostError(howItEnded(code, signal, fatal))));
  return {
    ready: ready.promise,
    ended: ended.promise,
    get started() {
      return started;
    },
    get alive() {
      return alive;
    },
    send(message) {
      // What cannot be told any more has its answer in `ended`.
      if (child.connected) child.send(message, () => undefined);
    },
    listen(next) {
      listener = next;
    },
    kill,
    close() {
      alive = false;
      timer ??= setTimeout(kill, CLOSE_MS);
      if (child.connected) child.send({ kind: 'close' }, () => undefined);
    },
  };
}

function neverStarted(why: string): Box {
  return {
    ready: Promise.resolve(),
    ended: Promise.resolve(new ChildLostError(`${NOT_STARTED}: ${why}`)),
    started: false,
    alive: false,
    send() {},
    listen() {},
    kill() {},
    close() {},
  };
}

/** A debugger's port can be had once. */
function ownFlags(): string[] {
  return process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
}

const USUALLY: Readonly<Record<string, string>> = {
  SIGABRT: ', as Node does out of memory',
  SIGKILL: ', as the system does out of memory',
  SIGTRAP: ', as V8 does out of memory',
};

function howItEnded(code: number | null, signal: string | null, fatal: StoredError | undefined): string {
  if (fatal) return `its process ended by an error that nobody caught: ${fatal.name}: ${fatal.message}`;
  if (signal !== null) return `its process was killed by ${signal}${USUALLY[signal] ?? ''}`;
  return `its process ended with exit code ${code} before the handler was done`;
}
