import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was, in seconds. */
export interface Lag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The timer whose lateness is measured, in milliseconds. */
const RESOLUTION_MS = 20;
/** Two scrapers that come one after the other see the same window, so none takes the other's. */
const WINDOW_MS = 5_000;
const NANOSECONDS = 1e-9;

/** Measures the delay of the event loop; each answer is of the last window of 5 s or longer, the first of what there is. */
export function measureLag(monotonic: () => number = () => performance.now()): {
  read(): Lag;
  stop(): void;
} {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let since = monotonic();
  let last: Lag | undefined;

  // The timer's own period is in every value.
  const late = (nanoseconds: number) => Math.max(0, nanoseconds * NANOSECONDS - RESOLUTION_MS / 1_000);
  const look = (): Lag =>
    delays.count === 0
      ? { p50: 0, p99: 0, max: 0 }
      : { p50: late(delays.percentile(50)), p99: late(delays.percentile(99)), max: late(delays.max) };
  return {
    read() {
      if (monotonic() - since < WINDOW_MS) return last ?? look();
      last = look();
      delays.reset();
      since = monotonic();
      return last;
    },
    stop: () => void delays.disable(),
  };
}
