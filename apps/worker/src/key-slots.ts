import { type Concurrency, concurrencyHash, isFull, type JobEnvelope, withoutOverdue } from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  type HandOverParams,
  handOver,
  keySlots,
  type LeaseWatch,
  readSemaphore,
} from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import { atMost } from './at-most.ts';
import type { Held } from './held.ts';
import { createKeyLines } from './key-lines.ts';
import { createKeyLooks } from './key-looks.ts';
import { createKeys, inTurn, isStale, type Key, keeping, NOBODY } from './keys.ts';
import { createQuiet } from './quiet.ts';
import { noteLimit, sayAgain, takeSlot } from './take-slot.ts';
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
  /** How many wait here for one that another job here has. */
  readonly waiting: number;
  /** Tasks may say other keys, or limits. */
  changed(): void;
  /** A lease is gone: slots may be free. */
  hurry(): void;
  /** Nobody waits here any more. */
  close(): void;
  /** Resolves when what was begun is done, or after 2 s. */
  stop(): Promise<void>;
}

/** A job waits here for a slot that another one here has, while its line moves on so often, and for so long at most; milliseconds. */
const STILL_MS = 1_000;
const LINE_MS = 5_000;
/** After a server that is another one nobody takes slots, until all have said again what they hold. */
const QUIET_MS = 3_000;
const STOP_MS = 2_000;

/** Who asks; `first`: before others that wait. */
interface Asking {
  readonly held: Held;
  readonly limit: number;
  readonly first?: boolean;
}

/** Composes it. */
export function createKeySlots(params: {
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly lease: WorkerLease;
  readonly leases: LeaseWatch;
  readonly now: () => number;
  readonly stopped: AbortSignal;
  /** So many jobs may wait here for slots that others here have. */
  readonly mostInLine: () => number;
  /** The job with the key that holds for it now. */
  readonly keyed: (job: JobEnvelope) => JobEnvelope;
  readonly log: Log;
}): KeySlots {
  const { bus, events, lease, leases, now, stopped, keyed, log } = params;
  const shared = { bus, leases, now };
  const keys = createKeys();
  const lines = createKeyLines<Claim>({
    most: params.mostInLine,
    stillMs: STILL_MS,
    waitMs: LINE_MS,
    onLate: (hash) => act('see who waits for a key', () => calmly(hash, leaveLine)),
  });
  const quiet = createQuiet({ ms: QUIET_MS, stopped });
  let closed = false;

  const act = (what: string, work: () => Promise<unknown>): void => {
    untilDone({
      act: work,
      signal: stopped,
      onRetry: (err) => log.warn({ err }, `could not ${what}; trying again`),
    }).catch(() => {});
  };
  /**
   * In turn, and not before all have said again what they hold: slots go to others by it. The key is looked up each time, since it may
   * have been forgotten while NATS was away.
   */
  const calmly = async (hash: string, work: (key: Key) => Promise<unknown>) => {
    let done = false;
    while (!done && !stopped.aborted) {
      // Not in turn, where it would keep what is held from being said.
      if (quiet.isOn) await quiet.whenOver();
      await inTurn(keys.of(hash), async (key) => {
        if (quiet.isOn) return;
        await work(key);
        done = true;
      });
    }
  };
  const pass = async (
    key: Key,
    name: string | undefined,
    { known, ...how }: Pick<HandOverParams, 'look' | 'known' | 'done' | 'moved'>,
  ) => {
    const { stored } = await keeping(key, known, (known) =>
      handOver({ ...shared, events, hash: key.hash, known, keyed, ...how, goes: isStale(key, name) }),
    );
    if (!stored.semaphore.waiting) looks.forget(key.hash);
  };

  const resync = async (hash: string) => {
    const { name } = lease;
    if (name === undefined) return;
    await inTurn(keys.of(hash), (key) => sayAgain(bus, key, name));
    await calmly(hash, (key) => pass(key, lease.name, { look: true }));
  };
  const offReconnect = bus.onReconnect(({ serverChanged }) => {
    for (const key of keys.all()) key.known = undefined;
    if (!serverChanged) return;
    quiet.begin();
    for (const { hash } of keys.all()) act('say which slots are held', () => resync(hash));
  });

  const looks = createKeyLooks({
    look: (hash, changed) => calmly(hash, (key) => pass(key, lease.name, { look: true, moved: changed })),
    onRound: () => keys.forget(({ hash }) => lines.first(hash) === undefined),
    onError: (err) => log.warn({ err }, 'the slots of a key could not be looked at; trying again'),
  });

  const take = async (key: Key, { held, limit, first }: Asking): Promise<Claim> => {
    const { name } = lease;
    if (name === undefined || closed || quiet.isOn) return { kind: 'later' };
    const { id, parks } = held.job;
    const value = await takeSlot(shared, key, { job: id, parks, limit, lease: name, first });
    if (value.kind === 'full') return { kind: 'full', taken: value.taken };
    if (value.kind === 'elsewhere' || lease.name !== name) return { kind: 'later' };
    held.slot = { hash: key.hash, lease: name, here: value.here };
    key.held.set(id, held);
    return { kind: 'taken', proven: value.reserved };
  };

  /** All slots that the job could have are held here, or wanted by who came before it, and nobody else waits for one. */
  const mayWait = (key: Key, limit: number) => {
    const isTaken = key.held.size >= limit || lines.first(key.hash) !== undefined;
    return isTaken && lines.open && !key.waits && lease.name !== undefined;
  };
  /** None of its line waits here any longer: each is parked, in turn, unless a slot is free. */
  const leaveLine = async (key: Key) => {
    for (let one = lines.first(key.hash); one; one = lines.first(key.hash))
      lines.next(key.hash, await take(key, { ...one, first: true }));
  };
  /** Who waits here has a free slot with one change; false when nobody does. */
  const serveLine = async (key: Key): Promise<boolean> => {
    let served = false;
    for (;;) {
      const first = lines.first(key.hash);
      if (!first || key.held.size >= first.limit) return served;
      const claim = await take(key, { ...first, first: true });
      lines.next(key.hash, claim);
      served = true;
      if (claim.kind !== 'taken') return served;
    }
  };
  const giveOn = async (key: Key, name: string, done: JobEnvelope | undefined) => {
    let served = done === undefined && (await serveLine(key));
    if (!served) {
      await pass(key, name, { known: key.known, done });
      served = await serveLine(key);
    }
    const { semaphore } = key.known ?? NOBODY;
    if (served && semaphore.waiting && !isFull(semaphore)) await pass(key, name, { known: key.known });
  };

  /** Jobs were parked: somebody may have freed a slot before he could see them. */
  const lookAfter = async (key: Key) => {
    const { toLook } = key;
    if (!toLook) return;
    if (!key.known || key.knownAt < toLook.at)
      await keeping(key, undefined, async () => ({ stored: await readSemaphore(bus, keySlots(key.hash)) }));
    const { holders, waiting, most = toLook.limit } = withoutOverdue((key.known ?? NOBODY).semaphore, now());
    const isNoted = waiting === true && most >= toLook.limit;
    if (waiting && !isNoted) await noteLimit(bus, key, toLook.limit);
    if (!isNoted || Object.keys(holders).length < toLook.limit) await pass(key, lease.name, { look: true });
    // What was parked meanwhile asks for another look.
    if (key.toLook !== toLook) return lookAfter(key);
    key.toLook = undefined;
  };

  return {
    async claim(held, { key: text, limit }) {
      looks.begin();
      if (lease.name === undefined && (await lease.want()) === undefined) return { kind: 'later' };
      await quiet.whenOver();
      const key = keys.of(concurrencyHash(text));
      const { claim } = await inTurn(key, async () =>
        mayWait(key, limit)
          ? { claim: lines.add(key.hash, held, limit) }
          : { claim: Promise.resolve(await take(key, { held, limit })) },
      );
      return claim;
    },
    release(held) {
      const { slot, job, traced } = held;
      if (!slot) return;
      held.slot = undefined;
      const key = keys.of(slot.hash);
      key.held.delete(job.id);
      // Under a lease that is gone nothing is held.
      if (slot.lease !== lease.name) return;
      const done = slot.here && !traced ? job : undefined;
      act('give a slot on', () => calmly(slot.hash, (key) => giveOn(key, slot.lease, done)));
    },
    parked({ key: text, limit }) {
      const hash = concurrencyHash(text);
      looks.watch(hash);
      const key = keys.of(hash);
      const isOpen = key.toLook !== undefined;
      key.toLook = { at: performance.now(), limit: Math.max(limit, key.toLook?.limit ?? 0) };
      if (!isOpen) act('look whether a key is free', () => calmly(hash, lookAfter));
    },
    get waiting() {
      return lines.size;
    },
    holders: () => [...keys.all()].flatMap(({ held }) => [...held.values()]),
    changed: looks.changed,
    hurry: looks.hurry,
    close: () => lines.close({ kind: 'closed' }),
    async stop() {
      closed = true;
      lines.close({ kind: 'closed' });
      offReconnect();
      await atMost(STOP_MS, Promise.all([looks.stop(), ...[...keys.all()].map(({ tail }) => tail)]));
    },
  };
}
