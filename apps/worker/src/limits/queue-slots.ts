import type { Bus, LeaseWatch, QueueSettingsWatch } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import { atMost } from '../at-most.ts';
import type { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';
import { differs, loseSlots, type LimitedQueue as Queue } from './limited-queue.ts';
import { askBlock } from './queue-block.ts';
import { createQueueClaims } from './queue-claims.ts';
import { createQueueRate } from './queue-rate.ts';
import { createQueueWaiting } from './queue-waiting.ts';
import type { WorkerLease } from './worker-lease.ts';

/** The slots of queues with a limit over all workers, as far as this worker has any. */
export interface QueueSlots {
  /** Whether jobs of this queue need a slot; cheap. */
  limits(queue: string): boolean;
  /** Whether they begin at a rate. */
  paces(queue: string): boolean;
  /** Resolves with true when the job has a slot and a start, of what there is; with false when it has to be given back. */
  claim(held: Held): Promise<boolean>;
  /** It needs a slot and has none: it never had one, or has lost it together with the lease. */
  lacks(held: Held): boolean;
  /** The same, or it has no start that it may still use. */
  mustClaim(held: Held): boolean;
  /** It has a start that may be used no more. */
  isLate(held: Held): boolean;
  /** Its slot is free, and its start if it has not used that. */
  release(held: Held): void;
  /** How many more jobs of the queue may be pulled. */
  roomOf(queue: string): number;
  /** The worker takes jobs of this queue, or does no more. */
  look(queue: string): void;
  /** A thread of work may be free. */
  next(): void;
  /** Jobs that hold a slot here. */
  holders(): Held[];
  /** Nothing begins any more; slots under which nothing runs are given back. */
  close(): void;
  /** Gives all back. */
  stop(): Promise<void>;
}

/** How often slots are asked for that were not free, and given back that are not needed. */
const ROUND_MS = 500;
/** After a server that is another one nobody takes more slots, until all have said again what they hold. */
const QUIET_MS = 3_000;
const STOP_MS = 2_000;
/** What a pull brought for which there is no slot here is left to others after so long, milliseconds. */
const WAIT_MS = 1_000;

/**
 * Composes it.
 * @param params.queues those that this worker serves at first; `takes`: whether it takes jobs of one now
 * @param params.free how many handlers could begin at once
 * @param params.onRoom more may be pulled
 */
export function createQueueSlots(params: {
  readonly bus: Bus;
  readonly queues: readonly string[];
  readonly takes: (queue: string) => boolean;
  readonly settings: QueueSettingsWatch;
  readonly lease: WorkerLease;
  readonly leases: LeaseWatch;
  /** A limit that is set counts what runs already. */
  readonly jobs: Pick<HeldJobs, 'all'>;
  readonly free: () => number;
  readonly onRoom: () => void;
  readonly log: Log;
}): QueueSlots {
  const { bus, takes, settings, lease, leases, free, onRoom, log } = params;
  const limited = new Map<string, Queue>();
  let quietUntil = 0;
  let stopped = false;
  let rounds: NodeJS.Timeout | undefined;

  const limitOf = (name: string) => settings.of(name)?.concurrency;
  const rateOf = (name: string) => {
    const rate = settings.of(name)?.rateLimit;
    // What is counted per task or key is no matter of the queue: such jobs are parked.
    return (rate?.per ?? 'queue') === 'queue' ? rate : undefined;
  };
  const isBound = (name: string) => limitOf(name) !== undefined || rateOf(name) !== undefined;
  /** Slots under which jobs may begin. */
  const open = (queue: Queue) => {
    if (limitOf(queue.name) === undefined) return Number.POSITIVE_INFINITY;
    return queue.lease !== undefined && queue.lease === lease.name ? queue.have - queue.used.size : 0;
  };
  const claims = createQueueClaims({ isLimited: (name) => limitOf(name) !== undefined, rateOf, open, free });
  const { grant } = claims;
  /** What began before there was a limit counts too. */
  const useRunning = (queue: Queue) => {
    if (limitOf(queue.name) === undefined) return;
    for (const held of params.jobs.all()) {
      const runs = held.phase === 'running' || held.phase === 'waiting';
      if (held.job.queue === queue.name && runs && !held.queueSlot) claims.use(queue, held);
    }
  };
  const more = (queue: Queue) => (takes(queue.name) ? Math.max(0, free()) : queue.waiting.size);
  const wanted = (queue: Queue) => queue.used.size + (stopped ? 0 : more(queue));

  const change = async (queue: Queue): Promise<void> => {
    const name = lease.name ?? (stopped ? undefined : await lease.want());
    if (name === undefined) return;
    const limit = limitOf(queue.name);
    const isOther = queue.lease !== name;
    const before = isOther ? 0 : queue.have;
    const most =
      performance.now() < quietUntil ? Math.max(before, queue.used.size) : Number.POSITIVE_INFINITY;
    const want = limit === undefined ? 0 : Math.min(wanted(queue), most);
    const value = await askBlock({
      bus,
      leases,
      lease: name,
      queue: queue.name,
      wanted: want,
      limit: limit ?? 0,
      used: () => (isOther ? 0 : queue.used.size),
      onCount(count) {
        if (!isOther) queue.have = Math.min(queue.have, count);
      },
    });
    if (lease.name !== name) return;
    queue.lease = name;
    queue.have = value.allowed;
    queue.noted = value.count;
    queue.tooMany = undefined;
    if (value.allowed > before) {
      grant(queue);
      onRoom();
    }
    forgetUnbound(queue);
  };
  const forgetUnbound = (queue: Queue) => {
    if (isBound(queue.name) || queue.used.size + queue.waiting.size > 0 || queue.noted > 0) return;
    queue.rate.close();
    limited.delete(queue.name);
  };
  const changeSoon = (queue: Queue) => {
    queue.changing ??= change(queue)
      .catch((err: unknown) => {
        log.warn({ err, queue: queue.name }, 'the slots of a queue could not be changed; trying again');
      })
      .finally(() => {
        queue.changing = undefined;
      });
  };
  const isToChange = (queue: Queue): boolean =>
    differs(queue, { limit: limitOf(queue.name), wanted: wanted(queue), lease: lease.name, stopped });
  const round = () => {
    for (const queue of limited.values()) {
      // A worker that is full may be so for an hour; and others may wait for the key that a job has meanwhile.
      const isFull = open(queue) <= 0 || free() <= 0;
      queue.waiting.leave(WAIT_MS, ({ slot }) => isFull || slot !== undefined);
      if (isToChange(queue)) changeSoon(queue);
      else forgetUnbound(queue);
      grant(queue);
    }
  };
  const begin = (name: string) => {
    if (limited.has(name) || stopped) return;
    const queue: Queue = {
      name,
      have: 0,
      noted: 0,
      lease: undefined,
      tooMany: undefined,
      changing: undefined,
      used: new Set(),
      waiting: createQueueWaiting(),
      rate: createQueueRate({
        bus,
        now: Date.now,
        queue: name,
        limit: () => rateOf(name),
        wanted: () => Math.min(queue.waiting.size, free(), open(queue)),
        onStart: () => grant(queue),
        onError: (err) =>
          log.warn({ err, queue: name }, 'no starts of the rate of a queue could be had; trying again'),
      }),
    };
    limited.set(name, queue);
    useRunning(queue);
    rounds ??= setInterval(round, ROUND_MS * (0.8 + 0.4 * Math.random()));
    if (limitOf(name) !== undefined) changeSoon(queue);
  };
  const look = (name: string) => {
    if (isBound(name) && takes(name)) begin(name);
    const queue = limited.get(name);
    if (!queue) return;
    useRunning(queue);
    if (limitOf(name) !== undefined || queue.noted > 0) changeSoon(queue);
    grant(queue);
    onRoom();
  };
  const offSettings = settings.onChange(look);
  for (const name of params.queues) if (isBound(name)) begin(name);
  const offReconnect = bus.onReconnect(({ serverChanged }) => {
    if (!serverChanged) return;
    quietUntil = performance.now() + QUIET_MS;
    for (const queue of limited.values()) if (limitOf(queue.name) !== undefined) changeSoon(queue);
  });
  lease.onLost(() => {
    for (const queue of limited.values()) loseSlots(queue);
  });

  return {
    limits: (name) => limited.has(name),
    claim(held) {
      const queue = limited.get(held.job.queue);
      return queue && !stopped ? claims.claim(queue, held) : Promise.resolve(!stopped);
    },
    paces: (name) => limited.has(name) && rateOf(name) !== undefined,
    lacks({ job: { queue }, queueSlot }) {
      return limited.has(queue) && limitOf(queue) !== undefined && !queueSlot;
    },
    mustClaim(held) {
      const queue = limited.get(held.job.queue);
      return queue !== undefined && claims.lacks(queue, held);
    },
    isLate(held) {
      const queue = held.queueStart === undefined ? undefined : limited.get(held.job.queue);
      return queue !== undefined && claims.isLate(queue, held);
    },
    release(held) {
      const queue = limited.get(held.job.queue);
      const hadSlot = held.queueSlot;
      claims.release(queue, held);
      // The limit was lowered: others may begin only when this is known.
      if (queue && hadSlot && (stopped || queue.noted > queue.have)) changeSoon(queue);
      if (queue) grant(queue);
    },
    roomOf(name) {
      const queue = limited.get(name);
      if (!queue) return Number.POSITIVE_INFINITY;
      return Math.max(0, Math.min(open(queue), queue.rate.room) - queue.waiting.size);
    },
    look,
    next() {
      if (limited.size > 0) for (const queue of limited.values()) grant(queue);
    },
    holders: () => [...limited.values()].flatMap(({ used }) => [...used]),
    close() {
      stopped = true;
      offSettings();
      offReconnect();
      for (const { waiting, rate } of limited.values()) {
        rate.close();
        waiting.leave(0);
      }
      round();
    },
    async stop() {
      clearInterval(rounds);
      const back = async (queue: Queue) => {
        await queue.changing;
        if (queue.noted > 0) await change(queue).catch(() => {});
      };
      await atMost(STOP_MS, Promise.all([...limited.values()].map(back)));
    },
  };
}
