/** Never more than this many times the concurrency is held, however short the jobs are. */
const MAX_MULTIPLE = 64;
/** How long the jobs held in advance may take to work off, in milliseconds: about two round trips of a pull. */
const AHEAD_MS = 5;
/** Weight of the newest run time in the moving average. */
const WEIGHT = 0.05;

/**
 * How many jobs a worker may hold at once. Jobs that run longer than a pull takes are held one per slot, so that an idle
 * neighbour can have the next one; for shorter ones a bounded multiple is held, so that slots need not wait for pulls.
 */
export interface Pace {
  /** Notes how long a job ran, milliseconds. */
  ran(ms: number): void;
  /** How many jobs may be held now, running ones included. */
  limit(): number;
}

/** Starts with one job per slot. */
export function createPace(concurrency: number): Pace {
  let average = AHEAD_MS;
  return {
    ran(ms) {
      average += (ms - average) * WEIGHT;
    },
    limit() {
      const multiple = Math.min(MAX_MULTIPLE, Math.max(1, Math.floor(AHEAD_MS / Math.max(average, 0.01))));
      return concurrency * multiple;
    },
  };
}
