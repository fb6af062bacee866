import type { Clock } from '../clock.ts';
import type { TaskLog } from '../context.ts';
import type { Execution } from '../execution.ts';
import type { Interrupt } from '../interrupt.ts';
import { ChildLostError } from './box.ts';
import { stoppedBy } from './run-in-box.ts';

/** How long it takes until a start is tried again, milliseconds: each time twice as long. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 15_000;

/** One attempt to be made as soon as something can be started for it. */
interface StartedRun {
  /** Makes it, and says when something has been started for it; answers with the error when nothing could be. Never rejects. */
  readonly attempt: (onStarted: () => void) => Promise<Execution | ChildLostError>;
  readonly interrupt: Interrupt;
  readonly log: () => TaskLog;
}

/** Waits out what keeps threads and child processes from being started. */
export interface UntilStarted {
  /** Why none could be started just now; undefined when no run waits for that. */
  readonly trouble: string | undefined;
  /** Whether the run with this interrupt waits for that. */
  isWaiting(interrupt: Interrupt): boolean;
  /** Makes the attempt. Where nothing starts for long it is interrupted, and the job given back: that is no word about the job. */
  make(run: StartedRun): Promise<Execution>;
  /** Interrupts all that wait. */
  stop(): void;
}

/** @param params.forMs how long it is tried for one run, in milliseconds */
export function createUntilStarted(params: { readonly clock: Clock; readonly forMs: number }): UntilStarted {
  const { clock, forMs } = params;
  let stopped = false;
  /** Runs that wait for another start, and why. */
  const waiting = new Map<StartedRun, { readonly why: string; readonly stop: () => void }>();

  /** Resolves with a reason when it was stopped meanwhile. */
  const pause = async (run: StartedRun, ms: number, why: string): Promise<unknown> => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const stops = [clock.after(ms, () => resolve(undefined)), run.interrupt.listen(resolve)];
    if (run.interrupt.aborted) resolve(run.interrupt.reason);
    waiting.set(run, { why, stop: () => resolve(stopping()) });
    return await promise.finally(() => {
      for (const stop of stops) stop();
    });
  };

  const make = async (run: StartedRun): Promise<Execution> => {
    const end = clock.elapsed() + forMs;
    for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(2 * ms, MAX_PAUSE_MS)) {
      const made = await run.attempt(() => waiting.delete(run));
      if (!(made instanceof ChildLostError)) return made;
      if (stopped) return stoppedBy(stopping());
      if (clock.elapsed() + ms > end)
        return stoppedBy(new Error(`nothing could be started for it within ${forMs} ms: ${made.message}`));
      run.log().warn({ err: made }, `nothing could be started for this run; tried again in ${ms} ms`);
      const reason = await pause(run, ms, made.message);
      if (reason !== undefined) return stoppedBy(reason);
    }
  };

  return {
    get trouble() {
      const [first] = waiting.values();
      return first?.why;
    },
    isWaiting: (interrupt) => [...waiting.keys()].some((run) => run.interrupt === interrupt),
    make: (run) => make(run).finally(() => waiting.delete(run)),
    stop() {
      stopped = true;
      for (const { stop } of waiting.values()) stop();
    },
  };
}

function stopping(): Error {
  return new Error('the worker is stopping');
}
