import type { Task } from '@jetbeat/task';
import type { Held } from './held.ts';

/** Jobs that may run as soon as a slot is free; the higher priority first, then in the order they came. */
export interface Ready {
  add(held: Held, task: Task): void;
  /** Starts as many as there are slots. */
  next(): void;
  /** Takes a job out that has not begun; false when it is not here. */
  drop(held: Held): boolean;
  /** Takes all out. */
  clear(): Held[];
}

interface Entry {
  readonly held: Held;
  readonly task: Task;
}

/** The caller bounds how many wait, by what it pulls. */
export function createReady(params: { free: () => number; run: (held: Held, task: Task) => void }): Ready {
  const { free, run } = params;
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
    clear: () =>
      [lanes.high, lanes.normal, lanes.low].flatMap((lane) => lane.splice(0).map(({ held }) => held)),
  };
}
