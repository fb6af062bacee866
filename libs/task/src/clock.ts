/** Where an execution takes its time from, so that tests own it. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds that never go back nor jump, whatever happens to the time of day. */
  elapsed(): number;
  /** Calls `fn` once after `ms`; the answer cancels it. */
  after(ms: number, fn: () => void): () => void;
}

/** A timer of Node waits for 2^31-1 ms at most; a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, fn) {
    let left = ms;
    let timer: NodeJS.Timeout;
    const arm = () => {
      const step = Math.min(left, LONGEST);
      left -= step;
      timer = setTimeout(left > 0 ? arm : fn, step);
    };
    arm();
    return () => clearTimeout(timer);
  },
};
