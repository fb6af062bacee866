import type { Concurrency, JobEnvelope, JobRate } from '@jetbeat/core';
import {
  type Bus,
  createLeaseWatch,
  type EventPublisher,
  type QueueSettingsWatch,
  queueMoves,
} from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { LetGo } from '../ends/let-go.ts';
import type { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';
import type { Ready } from '../running/ready.ts';
import type { Shape } from '../shape.ts';
import type { Claim } from './claim.ts';
import { createClaimSlots } from './claim-slots.ts';
import { createKeySlots } from './key-slots.ts';
import { createQueueSlots } from './queue-slots.ts';
import { createRates } from './rates.ts';
import { stopLimited } from './stop-limited.ts';
import { createTaskLimits, type TaskLimitsParams } from './task-limits.ts';
import type { WorkerLease } from './worker-lease.ts';

/** What a job gets that asks; `late`: its rate is used up. */
export type LimitClaim = Claim | { readonly kind: 'late'; readonly rate: JobRate };

/** What bounds how many jobs run over all workers, and how often they begin. */
export interface Limits {
  /** The job with the concurrency key that its task says; cheap where none does. */
  keyed(job: JobEnvelope): JobEnvelope;
  /** Whether the job needs a slot before it may begin; cheap. */
  holds(held: Held): boolean;
  /** Whether its claim tells if a step of it that was parked has been run. */
  proves(job: JobEnvelope): boolean;
  /** Takes the slots that it needs, and starts of its rates; that may take as long as other jobs run. */
  claim(held: Held): Promise<LimitClaim>;
  /** Whether the start of its queue's rate that it had is lost, and it has to claim anew; cheap. */
  isLate(held: Held): boolean;
  /** Its handler begins in this turn. */
  begins(held: Held): void;
  /** Its slots are free. */
  release(held: Held): void;
  /** It was parked for its key. */
  parked(concurrency: Concurrency): void;
  /** It came back from the parking place of this key, which holds for it no more. */
  left(concurrency: Concurrency, job: string): void;
  /** It was parked for its rate. */
  parkedLate(rate: JobRate): void;
  /** How many wait here for a slot of a key that another job here has. */
  readonly inLine: number;
  /** How many more jobs of a queue may be pulled. */
  roomOf(queue: string): number;
  /** The worker takes jobs of this queue, or does no more. */
  look(queue: string): void;
  /** Its handler has ended, so that another may begin. */
  ended(held: Held): void;
  /** Lets nothing begin any more. */
  close(): void;
  /** Gives back what is held. */
  stop(): Promise<void>;
}

/** How often the count of handlers under a slot is brought up to date, for the thread that guards the lease. */
const COUNT_MS = 250;

/** Composes it. */
export function createLimits(
  params: Omit<TaskLimitsParams, 'onChange'> & {
    readonly bus: Bus;
    readonly events: EventPublisher;
    readonly shape: Shape;
    readonly queueSettings: QueueSettingsWatch;
    readonly jobs: HeldJobs;
    readonly ready: () => Pick<Ready, 'drop' | 'size'>;
    readonly letGo: Pick<LetGo, 'refuse'>;
    readonly lease: WorkerLease;
    readonly leaseTtlMs: number;
    /** So many jobs may wait here for slots of keys that others here have. */
    readonly mostInLine: () => number;
    readonly now: () => number;
    readonly stopped: AbortSignal;
    readonly onRoom: () => void;
    readonly log: Log;
  },
): Limits {
  const { bus, events, shape, jobs, ready, letGo, lease, now, stopped, log } = params;
  const free = () => shape.concurrency - jobs.running - ready().size;
  const leases = createLeaseWatch(bus, { ttlMs: params.leaseTtlMs, onGone: () => keySlots.hurry() });
  const shared = { bus, lease, leases, log };
  const queueSlots = createQueueSlots({
    ...shared,
    queues: shape.queues,
    takes: (queue) => shape.takes(queue),
    settings: params.queueSettings,
    jobs,
    free,
    onRoom: params.onRoom,
  });
  const ofTasks = createTaskLimits({
    ...params,
    onChange(what) {
      rates.changed();
      if (what === 'task') keySlots.changed();
    },
  });
  const { keyed } = ofTasks;
  const leaveQueue = (held: Held) => {
    queueSlots.release(held);
    params.onRoom();
  };
  const keySlots = createKeySlots({
    ...shared,
    events,
    now,
    stopped,
    keyed,
    mostInLine: params.mostInLine,
    onWait: leaveQueue,
    isPaused: (queue) => params.queueSettings.isPaused(queue),
    moves: (queue) => queueMoves(bus, queue),
  });
  const offQueues = params.queueSettings.onChange((queue) => keySlots.queueSaid(queue));
  const rates = createRates({ bus, events, leases, limits: ofTasks, free, now, log });
  lease.onLost(() => stopLimited({ jobs, ready: ready(), letGo, log }));
  const count = () => {
    const holders = new Set([...keySlots.holders(), ...queueSlots.holders()]);
    lease.running([...holders].filter(({ phase, lingers }) => lingers || phase === 'running').length);
  };
  let counts: NodeJS.Timeout | undefined;
  const claimSlots = createClaimSlots({ queueSlots, keySlots });
  const claim = async (held: Held, rate: JobRate | undefined): Promise<LimitClaim> => {
    if (rate && rates.isLate(held, rate)) return { kind: 'late', rate };
    const slots = await claimSlots(held);
    if (slots.kind !== 'taken' || !rate) return slots;
    // The task's start comes last, so that none is used up for a job that has to wait for its key.
    const start = await rates.claim(held, rate, slots.proven || held.granted || held.job.parks === 0);
    if (start.kind === 'wait') return { kind: 'late', rate };
    if (start.kind === 'doubt') return { kind: 'taken', proven: false };
    if (start.kind !== 'start') return { kind: start.kind };
    held.beginBy = start.beginBy;
    const isLost = queueSlots.lacks(held) || (held.slot && held.slot.lease !== lease.name);
    return isLost ? { kind: 'later' } : { kind: 'taken', proven: slots.proven || start.proven };
  };
  return {
    keyed,
    proves: (job) => job.policy?.concurrency !== undefined || ofTasks.rateOf(job) !== undefined,
    holds: ({ job }) =>
      job.policy?.concurrency !== undefined ||
      queueSlots.limits(job.queue) ||
      ofTasks.rateOf(job) !== undefined,
    async claim(held) {
      counts ??= setInterval(count, COUNT_MS);
      const claimed = await claim(held, ofTasks.rateOf(held.job));
      // It does not begin now: while it is parked or given back others may.
      if (claimed.kind !== 'taken' && queueSlots.limits(held.job.queue)) leaveQueue(held);
      return claimed;
    },
    // Where the start of another rate was waited for, that of the queue may be old: were both asked for anew, where they are out of step none would ever begin.
    isLate: (held) => held.beginBy === undefined && queueSlots.isLate(held),
    begins(held) {
      // It is used now, and no other can have it.
      held.queueStart = undefined;
      if (held.isLimited) lease.begins();
    },
    release(held) {
      const rate = held.slot && ofTasks.rateOf(held.job);
      keySlots.release(held);
      queueSlots.release(held);
      if (rate) rates.freed(rate);
    },
    parked: keySlots.parked,
    left: keySlots.left,
    parkedLate: rates.parked,
    get inLine() {
      return keySlots.waiting;
    },
    roomOf: queueSlots.roomOf,
    look(queue) {
      queueSlots.look(queue);
      ofTasks.look();
    },
    ended(held) {
      if (held.queueSlot && !held.lingers) queueSlots.release(held);
      queueSlots.next();
      rates.next();
    },
    close() {
      offQueues();
      queueSlots.close();
      keySlots.close();
      rates.close();
      ofTasks.close();
    },
    async stop() {
      await Promise.all([keySlots.stop(), queueSlots.stop(), rates.stop()]);
      clearInterval(counts);
      if (counts) count();
    },
  };
}
