import type { Slots } from './slots.ts';

/** What the keep-alive thread judges the event loop by. Times in milliseconds of `processTime`. */
export interface BlockedLoopParams {
  readonly slots: Pick<Slots, 'lastBeat' | 'earliestDeadline'>;
  /** From the hard limit of a handler on. */
  readonly graceMs: number;
  readonly now: number;
}

/** A look that comes so much later than the one before was late because the thread, or the whole process, stood still; milliseconds. */
const STOOD_MS = 1_000;

/**
 * Judges whether the event loop will not come back: it has not turned since the hard limit of a handler, and a grace is
 * over. After a standstill of the whole process (a sleeping machine, a frozen container, SIGSTOP) it gets that grace anew:
 * it could not turn either.
 * @returns for how long it has not turned, milliseconds; undefined while it may come back
 */
export function watchBlockedLoop(began: number): (params: BlockedLoopParams) => number | undefined {
  let lookedAt = began;
  let stoodUntil = began;
  return ({ slots, graceMs, now }) => {
    if (now - lookedAt > STOOD_MS) stoodUntil = now;
    lookedAt = now;
    const deadline = slots.earliestDeadline;
    if (slots.lastBeat > deadline || now < Math.max(deadline, stoodUntil) + graceMs) return undefined;
    return now - slots.lastBeat;
  };
}
