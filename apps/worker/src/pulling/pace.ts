/** Never more than this many times the concurrency waits or runs, however short the jobs are. */
const MAX_MULTIPLE = 64;
/** Nor more than so many in advance: at 100,000 jobs/s what two round trips take. */
const MAX_AHEAD = 1_000;
/** How long the jobs held in advance may take to work off, in milliseconds: about two round trips of a pull. */
const AHEAD_MS = 5;
/** Weight of the newest run time in the moving average. */
const WEIGHT = 0.05;

/**
 * How many jobs of a worker may wait and run at once. Jobs that run longer than a pull takes are held one per slot, so that an idle
 * neighbour can have the next one; for shorter ones a bounded multiple is held, so that slots need not wait for pulls.
 */
export interface Pace {
  /** Notes how long a job ran, milliseconds. */
  ran(ms: number): void;
  /** Jobs take at least so long, milliseconds: one has waited that long for a slot. */
  slow(ms: number): void;
  /** How many jobs may wait or run now. */
  limit(): number;
}

/** Starts with one job per slot; the concurrency may change. */
export function createPace(shape: { readonly concurrency: number }): Pace {
  let average = AHEAD_MS;
  return {
    ran(ms) {
      average += (ms - average) * WEIGHT;
    },
    slow(ms) {
      average = Math.max(average, ms);
    },
    limit() {
      const { concurrency } = shape;
      const multiple = Math.min(MAX_MULTIPLE, Math.max(1, Math.floor(AHEAD_MS / Math.max(average, 0.01))));
      return concurrency + Math.min(MAX_AHEAD, concurrency * (multiple - 1));
    },
  };
}
