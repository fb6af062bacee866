import type { Concurrency } from '@jetbeat/core';
import { type Bus, createLeaseWatch, type EventPublisher, type QueueSettingsWatch } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { Held, HeldJobs } from './held.ts';
import { type Claim, createKeySlots } from './key-slots.ts';
import type { LetGo } from './let-go.ts';
import { createQueueSlots } from './queue-slots.ts';
import type { Ready } from './ready.ts';
import { stopLimited } from './stop-limited.ts';
import type { WorkerLease } from './worker-lease.ts';

/** What bounds how many jobs run over all workers. */
export interface Limits {
  /** Whether the job needs a slot before it may begin; cheap. */
  holds(held: Held): boolean;
  /** Takes the slots that it needs, of its queue first; that may take as long as other jobs run. */
  claim(held: Held): Promise<Claim>;
  /** Its handler begins in this turn. */
  begins(held: Held): void;
  /** Its slots are free. */
  release(held: Held): void;
  /** It was parked for its key. */
  parked(concurrency: Concurrency): void;
  /** How many more jobs of a queue may be pulled. */
  roomOf(queue: string): number;
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
export function createLimits(params: {
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly queues: readonly string[];
  readonly queueSettings: QueueSettingsWatch;
  readonly jobs: HeldJobs;
  readonly ready: () => Pick<Ready, 'drop' | 'size'>;
  readonly letGo: Pick<LetGo, 'refuse'>;
  readonly lease: WorkerLease;
  readonly leaseTtlMs: number;
  readonly concurrency: number;
  readonly now: () => number;
  readonly stopped: AbortSignal;
  readonly onRoom: () => void;
  readonly log: Log;
}): Limits {
  const { bus, events, queues, jobs, ready, letGo, lease, now, stopped, log } = params;
  const leases = createLeaseWatch(bus, { ttlMs: params.leaseTtlMs });
  const shared = { bus, lease, leases, log };
  const keySlots = createKeySlots({ ...shared, events, now, stopped });
  const queueSlots = createQueueSlots({
    ...shared,
    queues,
    settings: params.queueSettings,
    jobs,
    free: () => params.concurrency - jobs.running - ready().size,
    onRoom: params.onRoom,
  });
  lease.onLost(() => stopLimited({ jobs, ready: ready(), letGo, log }));
  const count = () => {
    const holders = new Set([...keySlots.holders(), ...queueSlots.holders()]);
    lease.running([...holders].filter(({ phase, lingers }) => lingers || phase === 'running').length);
  };
  let counts: NodeJS.Timeout | undefined;
  return {
    holds: ({ job }) => job.policy?.concurrency !== undefined || queueSlots.limits(job.queue),
    async claim(held) {
      counts ??= setInterval(count, COUNT_MS);
      if (queueSlots.limits(held.job.queue) && !(await queueSlots.claim(held))) return { kind: 'closed' };
      const concurrency = held.job.policy?.concurrency;
      return concurrency
        ? keySlots.claim(held, concurrency)
        : { kind: 'taken', proven: held.job.parks === 0 };
    },
    begins(held) {
      if (held.isLimited) lease.begins();
    },
    release(held) {
      keySlots.release(held);
      queueSlots.release(held);
    },
    parked: keySlots.parked,
    roomOf: queueSlots.roomOf,
    ended(held) {
      if (held.queueSlot && !held.lingers) queueSlots.release(held);
      queueSlots.next();
    },
    close: queueSlots.close,
    async stop() {
      await Promise.all([keySlots.stop(), queueSlots.stop()]);
      clearInterval(counts);
      if (counts) count();
    },
  };
}
