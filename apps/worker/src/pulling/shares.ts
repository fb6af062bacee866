import { PRIORITIES, type Priority } from '@jetbeat/core';

/** Of ten jobs that are taken while all three wait, how many are of each priority. */
export const SHARES: Readonly<Record<Priority, number>> = { high: 6, normal: 3, low: 1 };
const WHOLE = SHARES.high + SHARES.normal + SHARES.low;

/** Gives each priority its share of what is taken, so that none starves under a standing backlog of the others. */
export interface Shares {
  /** Whose turn it is of those that have something; undefined when none has. */
  next(has: (priority: Priority) => boolean): Priority | undefined;
  /** Counts what was taken of one; negative what was counted and has not come. */
  took(priority: Priority, jobs: number): void;
}

/**
 * Smooth weighted round robin with two rules of its own. Whoever has nothing saves up nothing: what it is due goes to the
 * highest that has something. And `high` goes first while it has not taken more than its share, so that one high job
 * among many normal ones never waits for a turn.
 */
export function createShares(): Shares {
  /** What each is due, in tenths of a job; together always nothing. */
  const due: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
  /** What those are due that have nothing goes to one that has. */
  const handOn = (heir: Priority, has: (priority: Priority) => boolean) => {
    for (const priority of PRIORITIES) {
      if (due[priority] <= 0 || has(priority)) continue;
      due[heir] += due[priority];
      due[priority] = 0;
    }
  };
  return {
    next(has) {
      const heir = PRIORITIES.find(has);
      if (heir === undefined) {
        for (const priority of PRIORITIES) due[priority] = 0;
        return undefined;
      }
      handOn(heir, has);
      if (heir === 'high' && due.high >= 0) return heir;
      let next = heir;
      for (const priority of PRIORITIES) if (due[priority] > due[next] && has(priority)) next = priority;
      return next;
    },
    took(priority, jobs) {
      for (const each of PRIORITIES) due[each] += SHARES[each] * jobs;
      due[priority] -= WHOLE * jobs;
    },
  };
}
