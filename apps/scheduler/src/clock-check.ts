import { JetbeatError } from '@jetbeat/core';

/** How far this machine's clock may be from PostgreSQL's, in milliseconds. */
const MAX_CLOCK_DIFFERENCE_MS = 5_000;

/** This machine's clock and PostgreSQL's disagree, so that this replica must not plan. Code `clock_difference`. */
export class ClockDifferenceError extends JetbeatError {
  constructor(differenceMs: number) {
    const seconds = (Math.abs(differenceMs) / 1_000).toFixed(1);
    const direction = differenceMs > 0 ? 'behind' : 'ahead of';
    super(
      'clock_difference',
      `this machine's clock is ${seconds} s ${direction} PostgreSQL's, so nothing is planned here: correct the clock (NTP)`,
    );
  }
}

/** What one look at both clocks says. Milliseconds. */
export interface ClockReading {
  /** PostgreSQL's time: the time of the pass. */
  readonly now: number;
  /** To be added to this machine's clock to get PostgreSQL's. */
  readonly offset: number;
}

/**
 * Takes the time from PostgreSQL, and compares it with this machine's clock halfway through the question.
 * @throws ClockDifferenceError when they differ by more than 5 s beyond what the question itself took
 */
export async function readClock(params: {
  databaseTime: () => Promise<number>;
  clock: () => number;
}): Promise<ClockReading> {
  const asked = params.clock();
  const now = await params.databaseTime();
  const took = params.clock() - asked;
  const offset = now - (asked + took / 2);
  if (Math.abs(offset) - took / 2 > MAX_CLOCK_DIFFERENCE_MS) throw new ClockDifferenceError(offset);
  return { now, offset };
}
