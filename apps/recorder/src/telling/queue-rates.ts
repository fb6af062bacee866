import type { Event } from '@jetbeat/core';
import { addQueueRates, type Database, type QueueRate } from '@jetbeat/postgres';

/** Counts what queues get done, and notes it from time to time. */
export interface QueueRates {
  /** Counts events that were recorded. */
  count(events: readonly Event[]): void;
  /** Notes what was counted since, and forgets what is old; what is not noted when the process dies is lost. */
  flush(): Promise<void>;
}

/** Queues that are counted between two flushes; names may come from strangers. */
const MAX_QUEUES = 10_000;

type Counts = Record<'succeeded' | 'failed' | 'ended', number>;

/** Makes the counts. `clock`: Unix milliseconds. */
export function createQueueRates(params: { db: Database; clock: () => number }): QueueRates {
  const { db, clock } = params;
  let counts = new Map<string, Counts>();
  const countsOf = (queue: string): Counts | undefined => {
    const found = counts.get(queue);
    if (found || counts.size >= MAX_QUEUES) return found;
    const made = { succeeded: 0, failed: 0, ended: 0 };
    counts.set(queue, made);
    return made;
  };
  return {
    count(events) {
      for (const event of events) {
        if (event.kind !== 'settled' && event.kind !== 'ended') continue;
        const found = countsOf(event.queue);
        if (!found) continue;
        if (event.kind === 'ended') found.ended++;
        else if (event.outcome === 'succeeded') found.succeeded++;
        else found.failed++;
      }
    },
    async flush() {
      const taken = counts;
      counts = new Map();
      const rates = [...taken].map(([queue, count]): QueueRate => ({ queue, ...count }));
      await addQueueRates(db, { rates, now: clock() });
    },
  };
}
