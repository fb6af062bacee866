import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log } from './log.ts';

/** A pass that is repeated. */
export interface Loop {
  start(): void;
  /** Resolves when the pass under way has returned. */
  stop(): Promise<void>;
  /** Asks for a pass now; during a pass, for one right after it. */
  poke(): void;
  /** When a pass last succeeded, Unix milliseconds. */
  readonly lastOk: number | undefined;
  /** What the last pass failed with, until one succeeds. */
  readonly lastError: string | undefined;
}

/** What `every` takes. Times in milliseconds. */
export interface EveryParams {
  readonly name: string;
  readonly intervalMs: number;
  /** One pass. When it returns a number, that is how soon the next should be, if sooner than the interval. */
  readonly pass: (signal: AbortSignal) => Promise<unknown>;
  readonly log: Pick<Log, 'warn'>;
  /** After this the pass's signal aborts. */
  readonly passTimeoutMs?: number;
  /** Longest delay after failures. */
  readonly maxBackoffMs?: number;
  readonly clock?: () => number;
}

/** Repeats a pass: never overlapping itself, surviving its errors with a back-off, at once when poked. No pass is on behalf of whoever has poked. */
export function every(params: EveryParams): Loop {
  const {
    name,
    intervalMs,
    pass,
    log,
    passTimeoutMs = 30_000,
    maxBackoffMs = 10_000,
    clock = Date.now,
  } = params;
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  /** Runs in the context that the loop was made in: else all passes after a poke would be part of the request, and of the trace, that has poked. */
  const outside = AsyncLocalStorage.snapshot();
  let underWay: Promise<void> | undefined;
  let poked = false;
  let failures = 0;
  let lastOk: number | undefined;
  let lastError: string | undefined;

  const once = async () => {
    poked = false;
    let delay = intervalMs;
    try {
      const wish = await pass(AbortSignal.any([ended.signal, AbortSignal.timeout(passTimeoutMs)]));
      if (typeof wish === 'number') delay = Math.min(intervalMs, Math.max(0, wish));
      failures = 0;
      lastOk = clock();
      lastError = undefined;
    } catch (error) {
      if (ended.signal.aborted) return;
      failures += 1;
      lastError = error instanceof Error ? error.message : String(error);
      delay = Math.min(maxBackoffMs, Math.max(intervalMs, 100) * 2 ** Math.min(failures - 1, 10));
      log.warn({ err: error, pass: name, failures, retryInMs: delay }, 'pass failed');
    }
    // After a failure a poke does not shorten the back-off, or a stream of pokes would hammer what is down.
    schedule(poked && failures === 0 ? 0 : delay);
  };
  const schedule = (delay: number) => {
    if (ended.signal.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(() => outside(run), delay);
  };
  const run = () => {
    if (underWay || ended.signal.aborted) return;
    underWay = once().finally(() => {
      underWay = undefined;
    });
  };

  return {
    start: () => schedule(0),
    async stop() {
      ended.abort();
      clearTimeout(timer);
      await underWay;
    },
    poke() {
      poked = true;
      if (!underWay && failures === 0 && timer) schedule(0);
    },
    get lastOk() {
      return lastOk;
    },
    get lastError() {
      return lastError;
    },
  };
}
