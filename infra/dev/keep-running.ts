import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from './run.ts';
import type { Exit, ServerProcess } from './server-process.ts';

const firstDelayMs = 250;
const longestDelayMs = 10_000;
const settledMs = 30_000;

/** How long to wait before the next start: 250 ms, doubled up to 10 s, and from the beginning again after 30 s up. */
export function nextDelay(params: { previous: number | undefined; upMs: number }): number {
  if (params.previous === undefined || params.upMs >= settledMs) return firstDelayMs;
  return Math.min(params.previous * 2, longestDelayMs);
}

/** A process that is started again whenever it ends, until it is stopped. */
export interface Kept {
  readonly name: string;
  /** Ends it for good; returns when it has ended. Safe to call twice. */
  stop(): Promise<void>;
  /** Ends it for good the hard way; `stop` then returns at once. */
  kill(): void;
}

/** `begin` starts the process once and may throw; `onEnd` is told of every end that was not asked for. */
export interface KeepRunningParams {
  name: string;
  begin: (signal: AbortSignal) => Promise<ServerProcess>;
  onEnd?: (exit: Exit | Error) => Promise<void>;
  /** Asked when its very first run has ended: true leaves it ended, since another start would end likewise. */
  refuses?: (exit: Exit | Error) => Promise<boolean>;
  log: Log;
  /** When it runs already. */
  running?: ServerProcess;
}

/** Keeps a process running, with back-off between its starts. */
export function keepRunning(params: KeepRunningParams): Kept {
  const stopping = new AbortController();
  const { signal } = stopping;
  let current: ServerProcess | undefined = params.running;
  let killed = false;
  const once = async (): Promise<Exit | Error> => {
    try {
      current ??= await params.begin(signal);
      if (killed) current.kill();
      else if (signal.aborted) await current.stop();
      return await current.exited;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      current = undefined;
    }
  };
  const loop = async () => {
    let previous: number | undefined;
    while (!signal.aborted) {
      const begun = performance.now();
      const exit = await once();
      if (signal.aborted) return;
      if (previous === undefined && (await params.refuses?.(exit))) return;
      previous = nextDelay({ previous, upMs: performance.now() - begun });
      params.log(`${params.name} ${describeEnd(exit)}; starting it again in ${previous} ms`);
      await params.onEnd?.(exit).catch(() => {});
      await delay(previous, undefined, { signal }).catch(() => {});
    }
  };
  const ended = loop();
  return {
    name: params.name,
    async stop() {
      stopping.abort();
      await current?.stop();
      await ended;
    },
    kill() {
      killed = true;
      stopping.abort();
      current?.kill();
    },
  };
}

function describeEnd(exit: Exit | Error): string {
  if (exit instanceof Error) return `did not start: ${exit.message}`;
  return exit.signal === null ? `ended with code ${exit.code}` : `was ended by ${exit.signal}`;
}
