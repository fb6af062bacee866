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
import type { Claim } from './claim.ts';
import type { Held } from './held.ts';
import { createKeyLines } from './key-lines.ts';
import { createKeyLooks } from './key-looks.ts';
import { createKeys, goesFrom, inTurn, type Key, keeping, NOBODY } from './keys.ts';
import { leave, leaveAll } from './leave-key.ts';
import { createQuiet } from './quiet.ts';
import { type Asking, createServeLine } from './serve-line.ts';
import { noteLimit, sayAgain, takeSlot } from './take-slot.ts';
import { untilDone } from './until-done.ts';
import type { WorkerLease } from './worker-lease.ts';

/** The slots of concurrency keys, as far as this worker has to do with them. */
export interface KeySlots {
  /** Takes a slot, or finds that the job has one. Throws JetStreamCallError, BusClosedError. */
  claim(held: Held, concurrency: Concurrency): Promise<Claim>;
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
    {
      known,
      left,
      ...how
    }: Pick<HandOverParams, 'look' | 'known' | 'done' | 'moved'> & { left?: Set<string> },
  ): Promise<boolean> => {
    const { stored, more } = await keeping(key, known, (known) =>
      handOver({ ...shared, events, hash: key.hash, known, keyed, ...how, goes: goesFrom(key, name, left) }),
    );
    if (!stored.semaphore.waiting) looks.forget(key.hash);
    return more;
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
    close: () => lines.close({ kind: 'closed' }),
    async stop() {
      closed = true;
      lines.close({ kind: 'closed' });
      offReconnect();
      await atMost(STOP_MS, Promise.all([looks.stop(), ...[...keys.all()].map(({ tail }) => tail)]));
    },
  };
}
