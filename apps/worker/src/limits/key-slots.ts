import { type Concurrency, concurrencyHash, isFull, type JobEnvelope } from '@jetbeat/core';
import type { Bus, EventPublisher, LeaseWatch } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import { atMost } from '../at-most.ts';
import type { Held } from '../held.ts';
import type { Claim } from './claim.ts';
import { createKeyActs } from './key-acts.ts';
import { createKeyLines } from './key-lines.ts';
import { createKeyLooks } from './key-looks.ts';
import { createKeys, inTurn, type Key, NOBODY } from './keys.ts';
import { leave, leaveAll } from './leave-key.ts';
import { lookAfter } from './look-after.ts';
import { createQuiet } from './quiet.ts';
import { type Asking, createServeLine } from './serve-line.ts';
import { createSlotPasses } from './slot-passes.ts';
import { sayAgain, seesFull, takeSlot } from './take-slot.ts';
import type { WorkerLease } from './worker-lease.ts';

/** The slots of concurrency keys, as far as this worker has to do with them. */
export interface KeySlots {
  /** Takes a slot, or finds that the job has one. Throws JetStreamCallError, BusClosedError. */
  claim(held: Held, concurrency: Concurrency): Promise<Claim>;
  /** Whether it has one, under the lease of now; cheap. */
  has(held: Held): boolean;
  /** Whether it would have to wait, as far as can be seen; nothing changes by that. Throws JetStreamCallError, BusClosedError. */
  seesFull(held: Held, concurrency: Concurrency): Promise<boolean>;
  /** Gives the slot on to the job that waits longest; that happens by and by. */
  release(held: Held): void;
  /** A job was parked: if the key has become free meanwhile, somebody has to see it. */
  parked(concurrency: Concurrency): void;
  /** A job came back from the parking place of a key that holds for it no more: what was kept for it, and what else waits there so, is let go. */
  left(concurrency: Concurrency, job: string): void;
  /** Jobs that hold a slot here. */
  holders(): Held[];
  /** How many wait here for one that another job here has. */
  readonly waiting: number;
  /** Tasks may say other keys, or limits. */
  changed(): void;
  /** A lease is gone: slots may be free. */
  hurry(): void;
  /** Something was said of a queue: it may be paused now, or go on. */
  queueSaid(queue: string): void;
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
  /** It waits here for a slot of its key: what else it has is for others meanwhile. */
  readonly onWait: (held: Held) => void;
  /** Whether no job of a queue may begin now. */
  readonly isPaused: (queue: string) => boolean;
  /** Whether jobs of a queue begin just now. */
  readonly moves: (queue: string) => Promise<boolean>;
  /** The job with the key that holds for it now. */
  readonly keyed: (job: JobEnvelope) => JobEnvelope;
  readonly log: Log;
}): KeySlots {
  const { bus, events, lease, leases, now, stopped, keyed, isPaused, moves, log } = params;
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

  const { act, calmly } = createKeyActs({ keys, quiet, stopped, log });
  const passes = createSlotPasses({
    ...shared,
    events,
    keys,
    isPaused,
    moves,
    keyed,
    onNobody: (hash) => looks.forget(hash),
  });
  const { pass } = passes;

  const resync = async (hash: string) => {
    const { name } = lease;
    if (name === undefined) return;
    await inTurn(keys.of(hash), (key) => sayAgain(bus, key, name));
    await calmly(hash, (key) => pass(key, lease.name, { look: true }));
  };
  const offReconnect = bus.onReconnect(({ serverChanged }) => {
    for (const key of keys.all()) key.known = undefined;
    if (!serverChanged) return;
    passes.forget();
    quiet.begin();
    for (const { hash } of keys.all()) act('say which slots are held', () => resync(hash));
  });

  const looks = createKeyLooks({
    async look(hash, changed) {
      let more = false;
      await calmly(hash, async (key) => {
        more = await pass(key, lease.name, { look: true, moved: changed });
      });
      return more;
    },
    onRound: () => keys.forget(({ hash }) => lines.first(hash) === undefined),
    onError: (err) => log.warn({ err }, 'the slots of a key could not be looked at; trying again'),
  });

  const take = async (key: Key, { held, limit, first }: Asking): Promise<Claim> => {
    const { name } = lease;
    if (name === undefined || closed || quiet.isOn) return { kind: 'later' };
    const { id, parks } = held.job;
    const value = await takeSlot(shared, key, { job: id, parks, limit, lease: name, first });
    if (value.kind === 'full') return { kind: 'full', taken: value.taken, by: value.by };
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
  const { serveLine, leaveLine } = createServeLine({ lines, keyed, take });
  const giveOn = async (key: Key, name: string, done: JobEnvelope | undefined) => {
    let served = done === undefined && (await serveLine(key));
    if (!served) {
      await pass(key, name, { known: key.known, done });
      served = await serveLine(key);
    }
    const { semaphore } = key.known ?? NOBODY;
    if (served && semaphore.waiting && !isFull(semaphore)) await pass(key, name, { known: key.known });
  };

  return {
    async claim(held, { key: text, limit }) {
      looks.begin();
      if (lease.name === undefined && (await lease.want()) === undefined) return { kind: 'later' };
      await quiet.whenOver();
      const key = keys.of(concurrencyHash(text));
      const { claim } = await inTurn(key, async () => {
        if (!mayWait(key, limit)) return { claim: Promise.resolve(await take(key, { held, limit })) };
        const claim = lines.add(key.hash, held, limit);
        params.onWait(held);
        return { claim };
      });
      return claim;
    },
    has: ({ slot }) => slot !== undefined && slot.lease === lease.name,
    async seesFull({ job: { id, parks } }, { key: text, limit }) {
      const { name } = lease;
      if (name === undefined || quiet.isOn) return false;
      return inTurn(keys.of(concurrencyHash(text)), async (key) => {
        const claim = { job: id, parks, limit, lease: name };
        return mayWait(key, limit) || (await seesFull(shared, key, claim));
      });
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
      const look = (key: Key) => pass(key, lease.name, { look: true });
      const how = { look, keepsInVain: passes.keepsInVain };
      if (!isOpen)
        act('look whether a key is free', () => calmly(hash, (key) => lookAfter(shared, key, how)));
    },
    left({ key: text }, job) {
      const hash = concurrencyHash(text);
      if (!leave(keys.of(hash), job)) return;
      act('let go what waits for a key that holds no more', () =>
        leaveAll(
          (turn) => calmly(hash, turn),
          (key, left) => pass(key, lease.name, { look: true, moved: true, left }),
        ),
      );
    },
    get waiting() {
      return lines.size;
    },
    holders: () => [...keys.all()].flatMap(({ held }) => [...held.values()]),
    changed() {
      looks.changed();
      for (const { hash } of keys.all())
        if (lines.first(hash)) act('tell who waits for a key of its limit', () => calmly(hash, serveLine));
    },
    hurry: looks.hurry,
    queueSaid(queue) {
      for (const hash of passes.said(queue))
        act('let go what waited for its queue', () =>
          calmly(hash, (key) => pass(key, lease.name, { look: true })),
        );
    },
    close: () => lines.close({ kind: 'closed' }),
    async stop() {
      closed = true;
      lines.close({ kind: 'closed' });
      offReconnect();
      await atMost(STOP_MS, Promise.all([looks.stop(), ...[...keys.all()].map(({ tail }) => tail)]));
    },
  };
}
