import type { Priority } from '@jetbeat/core';
import type { Task } from '@jetbeat/task';
import type { Held } from '../held.ts';
import { createShares } from '../pulling/shares.ts';

/** How long handlers may begin one after the other before the event loop turns, milliseconds. */
const TURN_MS = 10;

/** Jobs that may run as soon as a slot is free: each priority has its share, and within it they begin in the order they came. */
export interface Ready {
  add(held: Held, task: Task): void;
  /** Starts as many as there are slots. */
  next(): void;
  /** Takes a job out that has not begun; false when it is not here. */
  drop(held: Held): boolean;
  /** Starts nothing any more: gives up what waits, and whatever still comes. */
  close(): void;
  /** Those that wait now. */
  waiting(): Held[];
  /** How many wait. */
  readonly size: number;
}

/**
 * The caller bounds how many wait, by what it pulls.
 * @param params.refuse gives a job back that will not begin here
 */
export function createReady(params: {
  free: () => number;
  run: (held: Held, task: Task) => void;
  refuse: (held: Held) => void;
  now: () => number;
}): Ready {
  const { free, run, refuse, now } = params;
  const lanes = { high: new Map<Held, Task>(), normal: new Map<Held, Task>(), low: new Map<Held, Task>() };
  const shares = createShares();
  const has = (priority: Priority) => lanes[priority].size > 0;
  const size = () => lanes.high.size + lanes.normal.size + lanes.low.size;
  let closed = false;
  let scheduled = false;
  /** A handler that ends at once frees its slot in the middle of the round that began it. */
  let busy = false;

  const later = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      next();
    });
  };
  /** Begins jobs of one lane until it is another's turn; false when the time is over. */
  const begin = (priority: Priority, until: number): boolean => {
    const lane = lanes[priority];
    for (const [held, task] of lane) {
      if (now() > until) return false;
      lane.delete(held);
      // Nobody is kept waiting by what is alone.
      const alone = size() === lane.size;
      if (!alone) shares.took(priority, 1);
      run(held, task);
      if (!alone || free() <= 0) return true;
    }
    return true;
  };
  const round = () => {
    const until = now() + TURN_MS;
    while (free() > 0) {
      const priority = shares.next(has);
      if (!priority) return;
      if (!begin(priority, until)) return later();
    }
  };
  const next = () => {
    if (busy) return;
    busy = true;
    try {
      round();
    } finally {
      busy = false;
    }
  };
  return {
    next,
    get size() {
      return size();
    },
    add(held, task) {
      if (closed) return refuse(held);
      held.phase = 'waiting';
      lanes[held.job.priority].set(held, task);
      // Deliveries of one turn are all held, and known to the keep-alive thread, before the first of them runs.
      later();
    },
    waiting: () => Object.values(lanes).flatMap((lane) => [...lane.keys()]),
    drop: (held) => lanes[held.job.priority].delete(held),
    close() {
      closed = true;
      for (const lane of Object.values(lanes)) {
        const rest = [...lane.keys()];
        lane.clear();
        for (const held of rest) refuse(held);
      }
    },
  };
}
