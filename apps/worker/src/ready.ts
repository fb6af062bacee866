import type { Task } from '@jetbeat/task';
import type { Held } from './held.ts';

/** Jobs that may run as soon as a slot is free; the higher priority first, then in the order they came. */
export interface Ready {
  add(held: Held, task: Task): void;
  /** Starts as many as there are slots. */
  next(): void;
  /** Takes a job out that has not begun; false when it is not here. */
  drop(held: Held): boolean;
  /** Starts nothing any more: gives up what waits, and whatever still comes. */
  close(): void;
}

interface Entry {
  readonly held: Held;
  readonly task: Task;
}

/**
 * The caller bounds how many wait, by what it pulls.
 * @param params.refuse gives a job back that will not begin here
 */
export function createReady(params: {
  free: () => number;
  run: (held: Held, task: Task) => void;
  refuse: (held: Held) => void;
}): Ready {
  const { free, run, refuse } = params;
  let closed = false;
  const lanes = { high: [] as Entry[], normal: [] as Entry[], low: [] as Entry[] };
  let scheduled = false;
  const next = () => {
    for (const lane of [lanes.high, lanes.normal, lanes.low]) {
      while (lane.length > 0 && free() > 0) {
        const entry = lane.shift();
        if (entry) run(entry.held, entry.task);
      }
    }
  };
  return {
    next,
    add(held, task) {
      if (closed) return refuse(held);
      held.phase = 'waiting';
      lanes[held.job.priority].push({ held, task });
      if (scheduled) return;
      // Deliveries of one turn are all held, and known to the keep-alive thread, before the first of them runs.
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        next();
      });
    },
    drop(held) {
      const lane = lanes[held.job.priority];
      const index = lane.findIndex((entry) => entry.held === held);
      if (index >= 0) lane.splice(index, 1);
      return index >= 0;
    },
    close() {
      closed = true;
      for (const lane of [lanes.high, lanes.normal, lanes.low]) {
        for (const { held } of lane.splice(0)) refuse(held);
      }
    },
  };
}
