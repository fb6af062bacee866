import type { Progress } from '@jetbeat/core';
import type { TellProgress } from '../attempt-context.ts';
import { type Clock, systemClock } from '../clock.ts';

/** How often a box passes on what its handler says of its progress, milliseconds. */
const EVERY_MS = 100;

/** A handler's progress, handed to another thread or process; of what is said faster than it is passed on, the last counts. */
export interface BoundedProgress {
  readonly tell: TellProgress;
  /** Passes on what was said last, if it has not been. */
  end(): void;
}

/** A handler that never lets the event loop turn is heard too: what comes late enough is passed on at once. */
export function createBoundedProgress(say: TellProgress, clock: Clock = systemClock): BoundedProgress {
  let last: Progress | undefined;
  let saidAt = Number.NEGATIVE_INFINITY;
  let stop: (() => void) | undefined;
  const flush = () => {
    stop?.();
    stop = undefined;
    if (!last) return;
    saidAt = clock.elapsed();
    say(last);
    last = undefined;
  };
  return {
    tell(progress) {
      last = progress;
      const wait = saidAt + EVERY_MS - clock.elapsed();
      if (wait <= 0) flush();
      else stop ??= clock.after(wait, flush);
    },
    end: flush,
  };
}
