import type { Event } from '@jetbeat/core';
import { type Bus, putSettled } from '@jetbeat/jetstream';

/** The highest sequence in JOBS per queue that these events say is settled. */
export function settledIn(events: readonly Event[]): Map<string, number> {
  const marks = new Map<string, number>();
  for (const event of events) {
    // What was parked was acknowledged too, so it can come again just the same.
    if (event.kind !== 'settled' && event.kind !== 'ended' && event.kind !== 'parked') continue;
    const { queue, seq } = event;
    if (seq !== undefined && seq > (marks.get(queue) ?? 0)) marks.set(queue, seq);
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
  /** Stores the marks that rose since they were last stored. */
  write(): Promise<void>;
  /** Forgets what was stored: the store of JetStream is another one. */
  forget(): void;
}

/** More queues than an installation has; a flood of made-up names must not fill memory. */
const MAX_QUEUES = 10_000;

/** Keeps the marks of all queues; `write` is called a few times a second, however many events there are. */
export function createSettledMarks(params: { bus: Bus; put?: typeof putSettled }): SettledMarks {
  const { bus, put = putSettled } = params;
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
      for (const queue of [...risen]) {
        // First taken off the list, so that a rise during the call is not forgotten.
        risen.delete(queue);
        await put(bus, queue, marks.get(queue) ?? 0).catch((error: unknown) => {
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
