import {
  type Concurrency,
  claimSlot,
  concurrencyHash,
  dropHolders,
  type SlotAnswer,
  type SlotHolder,
  withoutOverdue,
} from '@jetbeat/core';
import {
  type Bus,
  changeSemaphore,
  type Decided,
  type EventPublisher,
  handOver,
  keySlots,
  type LeaseWatch,
  readSemaphore,
  type StoredSemaphore,
} from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { Held } from './held.ts';
import { createKeyLooks } from './key-looks.ts';
import { untilDone } from './until-done.ts';
import type { WorkerLease } from './worker-lease.ts';

/**
 * What a job gets that asks for a slot of its key. `proven`: the slot was kept for this very step, so that nobody can have
 * run it before. `later`: it cannot be said now.
 */
export type Claim =
  | { readonly kind: 'taken'; readonly proven: boolean }
  | { readonly kind: 'full'; readonly taken: number }
  | { readonly kind: 'later' }
  /** Nothing begins here any more. */
  | { readonly kind: 'closed' };

/** The slots of concurrency keys, as far as this worker has to do with them. */
export interface KeySlots {
  /** Takes a slot, or finds that the job has one. Throws JetStreamCallError, BusClosedError. */
  claim(held: Held, concurrency: Concurrency): Promise<Claim>;
  /** Gives the slot on to the job that waits longest; that happens by and by. */
  release(held: Held): void;
  /** A job was parked: if the key has become free meanwhile, somebody has to see it. */
  parked(concurrency: Concurrency): void;
  /** Jobs that hold a slot here. */
  holders(): Held[];
  /** Resolves when what was begun is done, or after 2 s. */
  stop(): Promise<void>;
}

/** A key of which this worker holds slots, or has held them lately. */
interface Key {
  readonly hash: string;
  /** By job. */
  readonly held: Map<string, Held>;
  /** What is done about it one after the other. */
  tail: Promise<unknown>;
  known: StoredSemaphore | undefined;
  /** By `performance.now()`. */
  usedAt: number;
}

const NOBODY: StoredSemaphore = { semaphore: { holders: {} }, seq: 0 };
/** How long keys are remembered that are used no more: longer than a killed server may have forgotten what was written. */
const KEEP_MS = 15_000;
/** After a server that is another one nobody takes slots, until all have said again what they hold. */
const QUIET_MS = 3_000;
const STOP_MS = 2_000;

/** Composes it. */
export function createKeySlots(params: {
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly lease: WorkerLease;
  readonly leases: LeaseWatch;
  readonly now: () => number;
  readonly stopped: AbortSignal;
  readonly log: Log;
}): KeySlots {
  const { bus, events, lease, leases, now, stopped, log } = params;
  const keys = new Map<string, Key>();
  let quietUntil = 0;
  let closed = false;

  const keyOf = (hash: string): Key => {
    const key: Key = keys.get(hash) ?? {
      hash,
      held: new Map(),
      tail: Promise.resolve(),
      known: undefined,
      usedAt: 0,
    };
    keys.set(hash, key);
    key.usedAt = performance.now();
    return key;
  };
  const inTurn = <T>(key: Key, act: () => Promise<T>): Promise<T> => {
    const work = key.tail.then(act);
    key.tail = work.catch(() => {});
    return work;
  };
  const act = (what: string, work: () => Promise<unknown>): void => {
    untilDone({
      act: work,
      signal: stopped,
      onRetry: (err) => log.warn({ err }, `could not ${what}; trying again`),
    }).catch(() => {});
  };
  /** Slots under this worker's own lease of jobs that it does not hold. */
  const isStale = (key: Key, name: string | undefined) => (holder: SlotHolder, job: string) =>
    'lease' in holder && holder.lease === name && !key.held.has(job);

  const pass = async (key: Key, name: string | undefined, look: boolean, known?: StoredSemaphore) => {
    key.known = undefined;
    const { stored } = await handOver({
      bus,
      events,
      hash: key.hash,
      now,
      leases,
      look,
      known,
      goes: isStale(key, name),
    });
    key.known = stored;
    if (!stored.semaphore.waiting) looks.forget(key.hash);
  };

  /** Says again what is held, and forgets what is not: a killed server does not know the last of either. */
  const resync = (key: Key) =>
    inTurn(key, async () => {
      const { name } = lease;
      if (name === undefined) return;
      await changeSemaphore(bus, {
        name: keySlots(key.hash),
        decide: (semaphore) => {
          const own = [...key.held]
            .filter(([, held]) => held.slot?.lease === name)
            .map(([id]) => [id, { lease: name }]);
          const kept = dropHolders(semaphore, isStale(key, name));
          const same = kept === semaphore && own.every(([id]) => String(id) in semaphore.holders);
          return same
            ? { value: undefined }
            : {
                next: { ...kept, holders: { ...kept.holders, ...Object.fromEntries(own) } },
                value: undefined,
              };
        },
      });
      await pass(key, name, true);
    });
  const offReconnect = bus.onReconnect(({ serverChanged }) => {
    for (const key of keys.values()) key.known = undefined;
    if (!serverChanged) return;
    quietUntil = performance.now() + QUIET_MS;
    for (const key of keys.values()) act('say which slots are held', () => resync(key));
  });

  const looks = createKeyLooks({
    look(hash) {
      const key = keyOf(hash);
      return inTurn(key, () => pass(key, lease.name, true));
    },
    onRound() {
      for (const [hash, key] of keys)
        if (key.held.size === 0 && performance.now() - key.usedAt > KEEP_MS) keys.delete(hash);
    },
    onError: (err) => log.warn({ err }, 'the slots of a key could not be looked at; trying again'),
  });

  const quiet = async () => {
    const left = quietUntil - performance.now();
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  };

  const take = async (key: Key, held: Held, limit: number): Promise<Claim> => {
    const { name } = lease;
    if (name === undefined || closed) return { kind: 'later' };
    const { id, parks } = held.job;
    const claim = { job: id, parks, limit, lease: name };
    const { known = NOBODY } = key;
    key.known = undefined;
    const { value, stored } = await changeSemaphore<SlotAnswer>(bus, {
      name: keySlots(key.hash),
      known,
      async decide(semaphore): Promise<Decided<SlotAnswer>> {
        const answer = claimSlot(semaphore, claim, now());
        if (answer.kind !== 'elsewhere') return { next: answer.next, value: answer };
        const gone = await leases.gone([answer.lease]);
        if (!gone.has(answer.lease)) return { value: answer };
        const rest = dropHolders(semaphore, (_, job) => job === id);
        const again = claimSlot(rest, claim, now());
        return again.kind === 'elsewhere' ? { value: again } : { next: again.next, value: again };
      },
    });
    key.known = stored;
    if (value.kind === 'full') return { kind: 'full', taken: value.taken };
    if (value.kind === 'elsewhere' || lease.name !== name) return { kind: 'later' };
    held.slot = { hash: key.hash, lease: name };
    key.held.set(id, held);
    return { kind: 'taken', proven: value.reserved };
  };

  return {
    async claim(held, { key: text, limit }) {
      looks.begin();
      if (lease.name === undefined && (await lease.want()) === undefined) return { kind: 'later' };
      await quiet();
      const key = keyOf(concurrencyHash(text));
      return inTurn(key, () => take(key, held, limit));
    },
    release(held) {
      const { slot } = held;
      if (!slot) return;
      held.slot = undefined;
      const key = keyOf(slot.hash);
      key.held.delete(held.job.id);
      // Under a lease that is gone nothing is held.
      if (slot.lease !== lease.name) return;
      act('give a slot on', () => inTurn(key, () => pass(key, slot.lease, false, key.known)));
    },
    parked({ key: text, limit }) {
      const hash = concurrencyHash(text);
      looks.watch(hash);
      act('look whether a key is free', async () => {
        const { semaphore } = await readSemaphore(bus, keySlots(hash));
        const { holders, waiting } = withoutOverdue(semaphore, now());
        if (waiting && Object.keys(holders).length >= limit) return;
        const key = keyOf(hash);
        await inTurn(key, () => pass(key, lease.name, true));
      });
    },
    holders: () => [...keys.values()].flatMap(({ held }) => [...held.values()]),
    async stop() {
      closed = true;
      offReconnect();
      const work = Promise.all([looks.stop(), ...[...keys.values()].map(({ tail }) => tail)]);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_MS)))]);
      clearTimeout(timer);
    },
  };
}
