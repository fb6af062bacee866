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

/**
 * Looks into PostgreSQL, and compares the time that it says with this machine's clock halfway through the question.
 * @returns what was seen; `offset` is to be added to this machine's clock to get PostgreSQL's, milliseconds
 * @throws ClockDifferenceError when they differ by more than 5 s beyond what the question itself took
 */
export async function readClock<Seen extends { readonly now: number }>(params: {
  look: () => Promise<Seen>;
  clock: () => number;
}): Promise<{ seen: Seen; offset: number }> {
  const asked = params.clock();
  const seen = await params.look();
  const took = params.clock() - asked;
  const offset = seen.now - (asked + took / 2);
  if (Math.abs(offset) - took / 2 > MAX_CLOCK_DIFFERENCE_MS) throw new ClockDifferenceError(offset);
  return { seen, offset };
}
