import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';

/** What waiting for the servers takes. */
export interface UntilThereParams<T> {
  /** Connects, and closes what it has opened where that fails. A try without servers takes a few seconds at most; with them it may migrate, and then takes as long as that. */
  readonly connect: () => Promise<T>;
  readonly log: Pick<Log, 'warn' | 'info'>;
  /** Aborted when the process is told to stop before it has started. */
  readonly stopping?: AbortSignal | undefined;
  /** How long it is tried, milliseconds; default 60,000. */
  readonly boundMs?: number;
}

/** Each try of NATS, so that a stop is heeded between two; milliseconds. */
export const CONNECT_MS = 2_000;
const BOUND_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 1_000;
/** How often it is told that it is still waited for, milliseconds. */
const TELL_MS = 10_000;
/** Codes of what may pass by itself: a server that is not there yet, or is still starting, or does not know us yet. */
const PASSING: ReadonlySet<unknown> = new Set([
  'nats_unreachable',
  'jetstream_call_failed',
  'database_unavailable',
]);

/**
 * Connects to servers that may be started after this process: it is tried again, and told why, until the bound is over or the process is told to
 * stop. So the order in which things are started does not matter, and one that never comes still ends the start.
 * @throws what `connect` threw last; at once, what would not pass by itself
 */
export async function untilThere<T>(params: UntilThereParams<T>): Promise<T> {
  const { connect, log, stopping, boundMs = BOUND_MS } = params;
  const begun = performance.now();
  let tellAt = begun;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
    try {
      const connected = await connect();
      if (tellAt > begun) log.info({}, 'the start goes on');
      return connected;
    } catch (error) {
      const now = performance.now();
      const { code, message } = error as { code?: unknown; message?: string };
      if (stopping?.aborted || !PASSING.has(code) || now - begun + pause > boundMs) throw error;
      if (now >= tellAt) {
        const left = Math.ceil((boundMs - (now - begun)) / 1_000);
        log.warn({ code }, `cannot start yet: ${message}; it is tried for another ${left} s`);
        tellAt = now + TELL_MS;
      }
    }
    await sleep(pause, undefined, stopping ? { signal: stopping } : {}).catch(() => undefined);
  }
}
