import type { Event } from '@jetbeat/core';
import { type Bus, jobsStreamState, putSettled } from '@jetbeat/jetstream';

/**
 * The highest sequence in JOBS per queue that these events say is done with. After each of them the message that it speaks of
 * is acknowledged, so a killed server can hand just that one out again as if new.
 */
export function settledIn(events: readonly Event[]): Map<string, number> {
  const marks = new Map<string, number>();
  for (const event of events) {
    switch (event.kind) {
      case 'settled':
      case 'ended':
      case 'parked':
      case 'returned': {
        const { queue, seq } = event;
        if (seq !== undefined && seq > (marks.get(queue) ?? 0)) marks.set(queue, seq);
      }
    }
  }
  return marks;
}

/**
 * The highest sequence per queue that has been settled, as far as events have told. A message at or below it may be one
 * that a killed server hands out again.
 */
export interface SettledMarks {
  /** Raises marks to what was recorded, or to what PostgreSQL knows. */
  raise(settled: ReadonlyMap<string, number>): void;
  /** Stores the marks that rose since they were last stored. One beyond the end of JOBS is of a stream that is no more. */
  write(): Promise<void>;
  /** Forgets what was stored: the store of JetStream is another one. */
  forget(): void;
}

/** More queues than an installation has; a flood of made-up names must not fill memory. */
const MAX_QUEUES = 10_000;

/** Keeps the marks of all queues; `write` is called a few times a second, however many events there are. */
export function createSettledMarks(params: {
  bus: Bus;
  put?: typeof putSettled;
  /** The last sequence of JOBS. */
  end?: (bus: Bus) => Promise<number>;
}): SettledMarks {
  const { bus, put = putSettled, end = async () => (await jobsStreamState(bus)).lastSeq } = params;
  const marks = new Map<string, number>();
  const risen = new Set<string>();

  return {
    raise(settled) {
      for (const [queue, seq] of settled) {
        const mark = marks.get(queue);
        if ((mark ?? 0) >= seq || (mark === undefined && marks.size >= MAX_QUEUES)) continue;
        marks.set(queue, seq);
        risen.add(queue);
      }
    },
    async write() {
      if (risen.size === 0) return;
      const waiting = [...risen].map((queue) => [queue, marks.get(queue) ?? 0] as const);
      const lastSeq = await end(bus);
      for (const [queue, seq] of waiting) {
        if (!marks.has(queue)) continue;
        // What rose during the calls stays on the list.
        const latest = marks.get(queue) === seq;
        if (latest) risen.delete(queue);
        if (seq > lastSeq) {
          if (latest) marks.delete(queue);
          continue;
        }
        await put(bus, queue, seq).catch((error: unknown) => {
          risen.add(queue);
          throw error;
        });
      }
    },
    forget() {
      marks.clear();
      risen.clear();
    },
  };
}
