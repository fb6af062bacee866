import { orderOf, PHASES, type Position } from '@jetbeat/core';

interface Entry {
  readonly order: number;
  readonly at: number;
}

/** How many settled jobs are remembered at most, whatever their age: about 20 MB. */
const MAX_ENTRIES = 200_000;

/**
 * The jobs that this worker has settled lately. A server that was killed can hand a finished job out again as if new;
 * what stands here is acknowledged at once, without a question to anybody.
 */
export interface Recent {
  add(id: string, position: Position): void;
  /** Whether this step of the job, or a later one, was settled here. */
  has(id: string, position: Position): boolean;
}

/** Remembers for `keepMs` milliseconds (2 x ack_wait), and at most 200,000 jobs. */
export function createRecent(params: { keepMs: number; now: () => number }): Recent {
  const { keepMs, now } = params;
  // A Map keeps the order of insertion, so the oldest entries are the first ones.
  const entries = new Map<string, Entry>();
  const forget = (before: number) => {
    for (const [id, entry] of entries) {
      if (entry.at >= before && entries.size <= MAX_ENTRIES) return;
      entries.delete(id);
    }
  };
  return {
    add(id, position) {
      const at = now();
      entries.delete(id);
      entries.set(id, { order: orderOf(position, PHASES.settled), at });
      forget(at - keepMs);
    },
    has(id, position) {
      const entry = entries.get(id);
      return entry !== undefined && entry.order >= orderOf(position, PHASES.settled);
    },
  };
}
