import {
  dropHolders,
  type JobEnvelope,
  keptFor,
  leasesOf,
  reserveSlot,
  type Semaphore,
  takeBack,
} from '@jetbeat/core';
import type { LeaseWatch } from './leases.ts';
import type { Standing } from './parked-walk.ts';

/** What is known of queues. */
export interface QueueStandings {
  /** Whether no job of a queue may begin now: such a one stays where it is, and others go before it. Default: of none. */
  readonly isPaused?: ((queue: string) => boolean) | undefined;
  /** Whether jobs of a queue begin just now (`queueMoves`): those of others go before those of one that stands. Default: of each. */
  readonly moves?: ((queue: string) => Promise<boolean>) | undefined;
}

/** How long a slot is kept for a job on its way to its queue and to a worker, milliseconds. */
const RESERVE_MS = 10_000;

/** How one queue stands. */
export async function standingOf({ isPaused, moves }: QueueStandings, queue: string): Promise<Standing> {
  if (isPaused?.(queue)) return 'paused';
  return !moves || (await moves(queue)) ? 'goes' : 'stands';
}

/** The queues of those that slots are kept for, and of which no job begins just now: it may be taken back. */
export async function keptInVain(queues: QueueStandings, semaphore: Semaphore): Promise<ReadonlySet<string>> {
  const all = keptFor(semaphore);
  const standing = await Promise.all(all.map((queue) => standingOf(queues, queue)));
  return new Set(all.filter((_, index) => standing[index] !== 'goes'));
}

/**
 * Keeps a slot for a parked job; one that is held under a lease that is gone is free, and one that is kept for a job of a queue that stands
 * is for one of another queue that goes on.
 * @param wanted.last nobody's queue goes on, nor its own
 * @param wanted.here see `SlotHolder`
 */
export async function keepSlot(
  params: QueueStandings & { readonly leases: LeaseWatch; readonly now: () => number },
  semaphore: Semaphore,
  wanted: {
    readonly envelope: JobEnvelope;
    readonly limit: number;
    readonly last: boolean;
    readonly here: boolean;
  },
): Promise<Semaphore | undefined> {
  const { leases, now } = params;
  const { envelope, limit, last, here } = wanted;
  const { id: job, parks, queue } = envelope;
  const keep = (slots: Semaphore) =>
    reserveSlot(slots, { job, parks, limit, here, queue }, now() + RESERVE_MS);
  const kept = keep(semaphore);
  if (kept) return kept;
  const gone = await leases.gone(leasesOf(semaphore));
  const freed = dropHolders(semaphore, (one) => 'lease' in one && gone.has(one.lease));
  const free = freed === semaphore ? undefined : keep(freed);
  if (free || last) return free;
  const rest = takeBack(freed, await keptInVain(params, freed), limit);
  return rest && keep(rest);
}
