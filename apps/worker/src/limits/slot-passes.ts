import type { JobEnvelope, Semaphore } from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  type HandOverParams,
  handOver,
  keptInVain,
  type LeaseWatch,
} from '@jetbeat/jetstream';
import { goesFrom, type Key, type Keys, keeping } from './keys.ts';

/** What is asked of one pass; `left`: jobs that have left the key. */
type How = Pick<HandOverParams, 'look' | 'known' | 'done' | 'moved'> & { readonly left?: Set<string> };

/** Gives free slots of keys to the jobs that are parked for them, and knows up to where those of queues that stand were passed over. */
export interface SlotPasses {
  /**
   * One pass, in the turn of the key, under this worker's lease. True: it has not come to an end.
   * @throws JetStreamCallError, PublishRefusedError, PublishUnconfirmedError, BusClosedError
   */
  pass(key: Key, lease: string | undefined, how: How): Promise<boolean>;
  /** Whether some of the slots are kept for jobs that do not begin just now. */
  keepsInVain(semaphore: Semaphore): Promise<boolean>;
  /** Something was said of a queue. Where jobs of it were passed over that may go now: the keys that have to be passed anew. */
  said(queue: string): readonly string[];
  /** The jobs may be at other sequences now: a stream that lost its tail, or all, counts on from an earlier place. */
  forget(): void;
}

/**
 * Composes it.
 * @param params.isPaused whether no job of a queue may begin now
 * @param params.moves whether jobs of a queue begin just now
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
  readonly moves: (queue: string) => Promise<boolean>;
  readonly keyed: (job: JobEnvelope) => JobEnvelope;
  readonly onNobody: (hash: string) => void;
}): SlotPasses {
  const { bus, events, leases, now, keys, isPaused, moves, keyed, onNobody } = params;
  const queues = { isPaused, moves };
  /** How often all was forgotten: a pass that is under way then has seen what holds no more. */
  let forgotten = 0;
  return {
    async pass(key, lease, { known, left, ...how }) {
      const { hash } = key;
      const before = forgotten;
      const goes = goesFrom(key, lease, left);
      const shared = { bus, events, leases, now, hash, keyed, ...queues, passed: key.passed };
      const { stored, more, passed } = await keeping(key, known, (known) =>
        handOver({ ...shared, goes, known, ...how }),
      );
      key.passed = forgotten === before ? passed : undefined;
      if (!stored.semaphore.waiting) onNobody(hash);
      return more;
    },
    keepsInVain: async (semaphore) => (await keptInVain(queues, semaphore)).size > 0,
    said(queue) {
      if (isPaused(queue)) return [];
      return [...keys.all()].filter(({ passed }) => passed?.queues.has(queue)).map(({ hash }) => hash);
    },
    forget() {
      forgotten++;
      for (const key of keys.all()) key.passed = undefined;
    },
  };
}
