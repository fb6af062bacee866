import { FREE_SEMAPHORE, type SlotHolder } from '@jetbeat/core';
import type { PassedOver, StoredSemaphore } from '@jetbeat/jetstream';
import type { Held } from '../held.ts';

/** A key of which this worker holds slots, or has held them lately. */
export interface Key {
  readonly hash: string;
  /** By job. */
  readonly held: Map<string, Held>;
  /** What is done about it one after the other. */
  tail: Promise<unknown>;
  /** How much of that is not done yet. */
  busy: number;
  /** What its slots were at `knownAt` or later, by `performance.now()`, unless a change of them is under way. */
  known: StoredSemaphore | undefined;
  knownAt: number;
  /** Jobs were parked for it, as far as is known. */
  waits: boolean;
  /** When a job was parked for it last, after which it has to be looked at; and the greatest limit of those. */
  toLook: { readonly at: number; readonly limit: number } | undefined;
  /** Jobs that came back from its parking place, and for which it holds no more. */
  left: Set<string> | undefined;
  /** Up to where jobs of queues that stand, or are paused, were passed over. */
  passed: PassedOver | undefined;
  /** By `performance.now()`. */
  usedAt: number;
}

/** Keys by their hashes. */
export interface Keys {
  /** It is used now. */
  of(hash: string): Key;
  all(): Iterable<Key>;
  /** Forgets those that were not used for long, if they may go: one of which something is being done stays, or there would be two. */
  forget(mayGo: (key: Key) => boolean): void;
}

/** Nobody has a slot, as far as is known. */
export const NOBODY: StoredSemaphore = { semaphore: FREE_SEMAPHORE, seq: 0 };
/** How long keys are remembered that are used no more: longer than a killed server may have forgotten what was written. */
const KEEP_MS = 15_000;

/** None at first. */
export function createKeys(): Keys {
  const keys = new Map<string, Key>();
  return {
    of(hash) {
      const key: Key = keys.get(hash) ?? {
        hash,
        held: new Map(),
        tail: Promise.resolve(),
        busy: 0,
        usedAt: 0,
        known: undefined,
        knownAt: Number.NEGATIVE_INFINITY,
        waits: false,
        toLook: undefined,
        left: undefined,
        passed: undefined,
      };
      keys.set(hash, key);
      key.usedAt = performance.now();
      return key;
    },
    all: () => keys.values(),
    forget(mayGo) {
      const before = performance.now() - KEEP_MS;
      for (const [hash, key] of keys) {
        const isIdle = key.busy === 0 && key.held.size === 0 && !key.toLook && !key.left;
        if (isIdle && key.usedAt < before && mayGo(key)) keys.delete(hash);
      }
    },
  };
}

/** One after the other. */
export function inTurn<T>(key: Key, act: (key: Key) => Promise<T>): Promise<T> {
  key.busy++;
  const work = key.tail
    .then(() => act(key))
    .finally(() => {
      key.busy--;
      key.usedAt = performance.now();
    });
  key.tail = work.catch(() => {});
  return work;
}

/** Does something about the slots, and keeps what is known of them then: what fails leaves nothing that is known. */
export async function keeping<T extends { readonly stored: StoredSemaphore }>(
  key: Key,
  known: StoredSemaphore | undefined,
  act: (known: StoredSemaphore | undefined) => Promise<T>,
): Promise<T> {
  const { known: before, knownAt } = key;
  const at = performance.now();
  key.known = undefined;
  const done = await act(known);
  const { stored } = done;
  key.known = stored;
  key.knownAt = stored === before ? knownAt : at;
  key.waits = stored.semaphore.waiting === true;
  return done;
}

/** Slots under this worker's own lease of jobs that it does not hold, and that do not ask just now. */
export function isStale(key: Key, name: string | undefined, asking?: string) {
  return (holder: SlotHolder, job: string): boolean =>
    'lease' in holder && holder.lease === name && !key.held.has(job) && job !== asking;
}

/** What holds no more when slots are given on: what is stale, and what is kept for jobs that have left the key. */
export function goesFrom(key: Key, name: string | undefined, left?: ReadonlySet<string>) {
  const isOld = isStale(key, name);
  return (holder: SlotHolder, job: string): boolean =>
    isOld(holder, job) || ('until' in holder && left?.has(job) === true);
}
