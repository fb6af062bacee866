import { PRIORITIES } from '@jetbeat/core';
import type { Held } from '../held.ts';

/** Jobs of one queue that wait for a slot; few are pulled that have none. */
export interface QueueWaiting {
  readonly size: number;
  /** Resolves with true when it may begin, with false when it is left to others. */
  add(held: Held): Promise<boolean>;
  /** Gives jobs what `next` has, the higher priority first, then in the order they came to this worker, until it has nothing. */
  grant<What>(next: () => What | undefined, use: (held: Held, what: What) => void): void;
  /** Leaves those to others that have waited for so long, milliseconds; of them those that `may` says. */
  leave(ms: number, may?: (held: Held) => boolean): void;
}

/** Nobody waits at first. */
export function createQueueWaiting(): QueueWaiting {
  /** Since when by `performance.now()`. */
  const waiting = new Map<Held, { readonly answer: (granted: boolean) => void; readonly since: number }>();
  /** What has waited for its key comes to this late, and is older than what has not. */
  const inOrder = () => {
    const byAge = [...waiting].sort(([one], [other]) => one.since.monotonic - other.since.monotonic);
    return PRIORITIES.flatMap((priority) => byAge.filter(([held]) => held.job.priority === priority));
  };
  return {
    get size() {
      return waiting.size;
    },
    add: (held) =>
      new Promise((answer) => {
        waiting.set(held, { answer, since: performance.now() });
      }),
    grant(next, use) {
      if (waiting.size === 0) return;
      for (const [held, { answer }] of inOrder()) {
        const what = next();
        if (what === undefined) return;
        waiting.delete(held);
        use(held, what);
        answer(true);
      }
    },
    leave(ms, may = () => true) {
      for (const [held, { answer, since }] of waiting) {
        if (performance.now() - since < ms || !may(held)) continue;
        waiting.delete(held);
        answer(false);
      }
    },
  };
}
