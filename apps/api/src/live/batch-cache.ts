import type { StoredEvents } from '@jetbeat/jetstream';
import { createTurns } from '../turns.ts';
import { type Batch, readBatch } from './batch.ts';
import { createMadeJobs } from './made-jobs.ts';

/** Reads batches of EVENTS; those that were read last are remembered, since many streams go on from nearly the same place. */
export interface BatchCache {
  /**
   * Some batches from `from` on, not beyond `upTo`, in order. Where it returns none there is none yet; where the first one is
   * not `from`, those before it are not kept any more.
   */
  read(range: { readonly from: number; readonly upTo: number }): Promise<readonly Batch[]>;
}

/** Batches that one call returns at most: a stream that catches up holds them in memory. */
const MOST = 32;

/** @param params.maxBytes of the messages whose events are remembered */
export function createBatchCache(params: {
  readonly readEvents: (range: { from: number; upTo: number }) => Promise<readonly StoredEvents[]>;
  readonly maxBytes: number;
}): BatchCache {
  const { readEvents, maxBytes } = params;
  /** In the order in which they were read. */
  const known = new Map<number, Batch>();
  const reading = new Map<number, Promise<readonly Batch[]>>();
  const made = createMadeJobs();
  let bytes = 0;

  const remember = (batch: Batch): void => {
    if (known.has(batch.seq)) return;
    known.set(batch.seq, batch);
    bytes += batch.bytes;
    for (const [seq, oldest] of known) {
      if (bytes <= maxBytes) return;
      known.delete(seq);
      bytes -= oldest.bytes;
    }
  };
  const fetch = async (range: { from: number; upTo: number }): Promise<readonly Batch[]> => {
    const batches: Batch[] = [];
    const stored = await readEvents(range);
    const turns = createTurns();
    for (const each of stored) {
      // One that has just been told of need not be parsed again.
      const batch = known.get(each.seq) ?? made.once(readBatch(each));
      remember(batch);
      batches.push(batch);
      await turns();
    }
    return batches;
  };

  return {
    async read({ from, upTo }) {
      const found: Batch[] = [];
      for (let seq = from; seq <= upTo && found.length < MOST; seq++) {
        const batch = known.get(seq);
        if (!batch) break;
        found.push(batch);
      }
      if (found.length > 0) return found;
      const begun = reading.get(from);
      // What another one reads may go beyond this one's end.
      if (begun) return (await begun).filter(({ seq }) => seq <= upTo);
      const answer = fetch({ from, upTo }).finally(() => reading.delete(from));
      reading.set(from, answer);
      return answer;
    },
  };
}
