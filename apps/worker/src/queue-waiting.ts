import { PRIORITIES } from '@jetbeat/core';
import type { Held } from './held.ts';

/** Jobs of one queue that wait for a slot; few are pulled that have none. */
export interface QueueWaiting {
  readonly size: number;
  /** Resolves with true when it may begin, with false when it is left to others. */
  add(held: Held): Promise<boolean>;
  /** Lets jobs begin, the higher priority first, then in the order they came, until `may` says no. */
  grant(may: () => boolean, use: (held: Held) => void): void;
  /** Leaves those to others that have waited for so long, milliseconds. */
  leave(ms: number): void;
}

/** Nobody waits at first. */
export function createQueueWaiting(): QueueWaiting {
  /** Since when by `performance.now()`. */
  const waiting = new Map<Held, { readonly answer: (granted: boolean) => void; readonly since: number }>();
  const inOrder = () =>
    PRIORITIES.flatMap((priority) => [...waiting].filter(([held]) => held.job.priority === priority));
  return {
    get size() {
      return waiting.size;
    },
    add: (held) =>
      new Promise((answer) => {
        waiting.set(held, { answer, since: performance.now() });
      }),
    grant(may, use) {
      if (waiting.size === 0) return;
      for (const [held, { answer }] of inOrder()) {
        if (!may()) return;
        waiting.delete(held);
        use(held);
        answer(true);
      }
    },
    leave(ms) {
      for (const [held, { answer, since }] of waiting) {
        if (performance.now() - since < ms) continue;
        waiting.delete(held);
        answer(false);
      }
    },
  };
}
