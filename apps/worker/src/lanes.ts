import { PRIORITIES, type Priority } from '@jetbeat/core';
import { type Lane as LaneName, lanesOf } from '@jetbeat/jetstream';
import { createShares } from './shares.ts';

/** One lane of a queue. */
export interface Lane {
  readonly queue: string;
  readonly priority: Priority;
  readonly lane: LaneName;
}

/**
 * Says which lane is asked for work: priorities by their shares, the queues of one priority one after the other, and of a queue what was
 * parked before what comes: it is older.
 */
export interface Turns {
  readonly all: readonly Lane[];
  /** One more queue; its turn comes last. */
  add(queue: string): void;
  remove(queue: string): void;
  /** The lane whose turn it is, of those that may have something. */
  next(mayHave: (lane: Lane) => boolean): Lane | undefined;
  /** Counts what a lane was asked for; negative what it was asked for and did not give. */
  took(lane: Lane, jobs: number): void;
}

/** @param queues the names, in any order */
export function createTurns(queues: readonly string[]): Turns {
  const shares = createShares();
  const ofQueue = (queue: string, priority: Priority) =>
    lanesOf(priority).map((lane): Lane => ({ queue, priority, lane }));
  const ofQueues = (priority: Priority) => queues.flatMap((queue) => ofQueue(queue, priority));
  /** Both lanes of a queue stand together; the queue that is looked at first is the first. */
  const lanes = { high: ofQueues('high'), normal: ofQueues('normal'), low: ofQueues('low') };
  return {
    get all() {
      return PRIORITIES.flatMap((priority) => lanes[priority]);
    },
    add(queue) {
      for (const priority of PRIORITIES) lanes[priority].push(...ofQueue(queue, priority));
    },
    remove(queue) {
      for (const priority of PRIORITIES)
        lanes[priority] = lanes[priority].filter((lane) => lane.queue !== queue);
    },
    next(mayHave) {
      const priority = shares.next((each) => lanes[each].some(mayHave));
      return priority && lanes[priority].find(mayHave);
    },
    took(lane, jobs) {
      shares.took(lane.priority, jobs);
      if (jobs <= 0) return;
      const place = lanes[lane.priority].findLastIndex(({ queue }) => queue === lane.queue);
      lanes[lane.priority].push(...lanes[lane.priority].splice(0, place + 1));
    },
  };
}
