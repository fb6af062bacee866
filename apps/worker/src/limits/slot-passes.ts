import type { JobEnvelope } from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  type HandOverParams,
  handOver,
  type LeaseWatch,
} from '@jetbeat/jetstream';
import { goesFrom, type Key, type Keys, keeping } from './keys.ts';

/** What is asked of one pass; `left`: jobs that have left the key. */
type How = Pick<HandOverParams, 'look' | 'known' | 'done' | 'moved'> & { readonly left?: Set<string> };

/** Gives free slots of keys to the jobs that are parked for them, and knows up to where those of paused queues were passed over. */
export interface SlotPasses {
  /**
   * One pass, in the turn of the key, under this worker's lease. True: it has not come to an end.
   * @throws JetStreamCallError, PublishRefusedError, PublishUnconfirmedError, BusClosedError
   */
  pass(key: Key, lease: string | undefined, how: How): Promise<boolean>;
  /** Something was said of a queue. Where jobs of it were passed over that may go now: the keys that have to be passed anew. */
  said(queue: string): readonly string[];
  /** The jobs may be at other sequences now: a stream that lost its tail, or all, counts on from an earlier place. */
  forget(): void;
}

/**
 * Composes it.
 * @param params.isPaused whether no job of a queue may begin now
 * @param params.keyed the job with the key that holds for it now
 * @param params.onNobody nobody is parked for this key
 */
export function createSlotPasses(params: {
  readonly bus: Bus;
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly leases: LeaseWatch;
  readonly now: () => number;
  readonly keys: Pick<Keys, 'all'>;
  readonly isPaused: (queue: string) => boolean;
  readonly keyed: (job: JobEnvelope) => JobEnvelope;
  readonly onNobody: (hash: string) => void;
}): SlotPasses {
  const { bus, events, leases, now, keys, keyed, onNobody } = params;
  /** Queues of which jobs were passed over. */
  const over = new Set<string>();
  /** How often all was forgotten: a pass that is under way then has seen what holds no more. */
  let forgotten = 0;
  const isPaused = (queue: string): boolean => {
    const is = params.isPaused(queue);
    if (is) over.add(queue);
    return is;
  };
  const forget = (): string[] => {
    forgotten++;
    const hashes: string[] = [];
    for (const key of keys.all()) {
      if (key.passed !== undefined) hashes.push(key.hash);
      key.passed = undefined;
    }
    return hashes;
  };
  return {
    async pass(key, lease, { known, left, ...how }) {
      const { hash } = key;
      const before = forgotten;
      const from = how.moved ? undefined : key.passed;
      const goes = goesFrom(key, lease, left);
      const { stored, more, ...past } = await keeping(key, known, (known) =>
        handOver({ bus, events, leases, now, hash, keyed, isPaused, goes, known, from, ...how }),
      );
      key.passed = forgotten === before && past.from > 1 ? past.from : undefined;
      if (!stored.semaphore.waiting) onNobody(hash);
      return more;
    },
    said(queue) {
      // All others stand where they were: one that is paused now too, or of which something else was said.
      if (!over.has(queue) || params.isPaused(queue)) return [];
      over.delete(queue);
      return forget();
    },
    forget,
  };
}
