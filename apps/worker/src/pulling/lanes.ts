import { PRIORITIES, type Priority } from '@jetbeat/core';
import { type Lane as LaneName, lanesOf } from '@jetbeat/jetstream';
import { createShares, type Shares } from './shares.ts';

/** One lane of a queue. */
export interface Lane {
  readonly queue: string;
  readonly priority: Priority;
  readonly lane: LaneName;
}

/**
 * Says which lane is asked for work: priorities by their shares, the queues of one priority one after the other, and of a queue what was
 * parked before what comes: it is older. A queue that has a bound of its own is mostly full, and what it may give when it is not goes by
 * shares of its own: whose turn it was would else be forgotten whenever it has no room.
 */
export interface Turns {
  readonly all: readonly Lane[];
  /** One more queue; its turn comes last. */
  add(queue: string): void;
  remove(queue: string): void;
  /**
   * The lane whose turn it is, of those that may have something.
   * @param isBound whether a queue may give only so much at once, whatever room there is. Default: none.
   */
  next(mayHave: (lane: Lane) => boolean, isBound?: (queue: string) => boolean): Lane | undefined;
  /** Counts what a lane was asked for; negative what it was asked for and did not give. */
  took(lane: Lane, jobs: number): void;
}

/** @param queues the names, in any order */
export function createTurns(queues: readonly string[]): Turns {
  const shares = createShares();
  /** Of the queues that have a bound. */
  const own = new Map<string, Shares>();
  const sharesOf = (queue: string) => {
    const known = own.get(queue) ?? createShares();
    own.set(queue, known);
    return known;
  };
  const ofQueue = (queue: string, priority: Priority) =>
    lanesOf(priority).map((lane): Lane => ({ queue, priority, lane }));
  const ofQueues = (priority: Priority) => queues.flatMap((queue) => ofQueue(queue, priority));
  /** Both lanes of a queue stand together; the queue that is looked at first is the first. */
  const lanes = { high: ofQueues('high'), normal: ofQueues('normal'), low: ofQueues('low') };
  const toTheEnd = (priority: Priority, queue: string) => {
    const place = lanes[priority].findLastIndex((lane) => lane.queue === queue);
    lanes[priority].push(...lanes[priority].splice(0, place + 1));
  };
  return {
    get all() {
      return PRIORITIES.flatMap((priority) => lanes[priority]);
    },
    add(queue) {
      for (const priority of PRIORITIES) lanes[priority].push(...ofQueue(queue, priority));
    },
    remove(queue) {
      own.delete(queue);
      for (const priority of PRIORITIES)
        lanes[priority] = lanes[priority].filter((lane) => lane.queue !== queue);
    },
    next(mayHave, isBound = () => false) {
      const priority = shares.next((each) => lanes[each].some(mayHave));
      const lane = priority && lanes[priority].find(mayHave);
      if (!lane || !isBound(lane.queue)) {
        if (lane) own.delete(lane.queue);
        return lane;
      }
      // The queue's turn has come, and which of its lanes that is for is its own matter.
      const { queue } = lane;
      const of = (each: Priority) => lanes[each].find((other) => other.queue === queue && mayHave(other));
      const turn = sharesOf(queue).next((each) => of(each) !== undefined);
      if (turn !== priority) toTheEnd(priority, queue);
      return turn && of(turn);
    },
    took(lane, jobs) {
      shares.took(lane.priority, jobs);
      own.get(lane.queue)?.took(lane.priority, jobs);
      if (jobs > 0) toTheEnd(lane.priority, lane.queue);
    },
  };
}
