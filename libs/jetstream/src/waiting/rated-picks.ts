import {
  type Concurrency,
  concurrencyHash,
  dropHolders,
  type JobEnvelope,
  leasesOf,
  reserveSlot,
  type Semaphore,
  withoutOverdue,
} from '@jetbeat/core';
import type { Bus } from '../connection/bus.ts';
import { nextParked, type StoredJob } from './find-message.ts';
import type { LeaseWatch } from './leases.ts';
import { changeSemaphore, keySlots, readSemaphore } from './semaphores.ts';

/** What looking for jobs that may go needs. */
export interface RatedPicksParams {
  readonly bus: Bus;
  /** See `JobRate`. */
  readonly hash: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly leases: LeaseWatch;
  /** See `HandOverParams`. */
  readonly keyed?: ((job: JobEnvelope) => JobEnvelope) | undefined;
}

/**
 * Jobs that may go. `skipped`: others stay parked; `busy`: some of them because their key is. `goOn`: so many were that it was not
 * looked at those from this sequence on.
 */
export interface RatedPicks {
  readonly picked: readonly StoredJob[];
  readonly skipped: boolean;
  readonly busy: boolean;
  readonly goOn?: number;
}

/** Parked jobs that are looked at, beyond those that may go, for some whose keys are free. */
const SPARE_LOOKS = 50;

/**
 * The oldest jobs that are parked for a rate and whose keys have a free slot.
 * @param from.first where to begin
 * @throws JetStreamCallError, BusClosedError
 */
export async function pickRated(
  params: RatedPicksParams,
  from: { readonly state: Semaphore; readonly first: StoredJob; readonly most: number },
): Promise<RatedPicks> {
  const { bus, hash } = params;
  const { state, most } = from;
  const picked: StoredJob[] = [];
  const busyKeys = new Set<string>();
  let skipped = false;
  let job: StoredJob | undefined = from.first;
  for (let looks = 0; job && picked.length < most && looks < most + SPARE_LOOKS; looks++) {
    const { envelope } = job;
    if (!envelope || envelope.id in state.holders || (await isBusy(params, envelope, busyKeys)))
      skipped = true;
    else picked.push(job);
    job = await nextParked(bus, { hash, what: 'rate', from: job.seq + 1 });
  }
  const goOn = job && picked.length < most ? { goOn: job.seq } : {};
  return { picked, skipped: skipped || job !== undefined, busy: busyKeys.size > 0, ...goOn };
}

/** The key that holds for a job now. */
export function keyOf(job: JobEnvelope, keyed: RatedPicksParams['keyed']): Concurrency | undefined {
  return (keyed?.(job) ?? job).policy?.concurrency;
}

/** Whether the job's key has no free slot; slots of workers that are gone count as free. */
async function isBusy(
  { bus, leases, now, keyed }: RatedPicksParams,
  job: JobEnvelope,
  busyKeys: Set<string>,
): Promise<boolean> {
  const { id } = job;
  const concurrency = keyOf(job, keyed);
  if (!concurrency) return false;
  const { key, limit } = concurrency;
  if (busyKeys.has(key)) return true;
  const { semaphore } = await readSemaphore(bus, keySlots(concurrencyHash(key)));
  const live = withoutOverdue(semaphore, now());
  const isFull = (one: Semaphore) => id in one.holders || Object.keys(one.holders).length >= limit;
  if (!isFull(live)) return false;
  const gone = await leases.gone(leasesOf(live));
  if (gone.size > 0 && !isFull(withoutLeases(live, gone))) return false;
  busyKeys.add(key);
  return true;
}

function withoutLeases(semaphore: Semaphore, gone: ReadonlySet<string>): Semaphore {
  return dropHolders(semaphore, (holder) => 'lease' in holder && gone.has(holder.lease));
}

/**
 * Keeps a slot of the key for each job that has one; those that get none are left out.
 * @param until Unix milliseconds
 * @throws JetStreamCallError, BusClosedError
 */
export async function keepKeys(
  params: RatedPicksParams,
  jobs: readonly StoredJob[],
  until: number,
): Promise<readonly StoredJob[]> {
  const kept: StoredJob[] = [];
  for (const job of jobs) {
    const { envelope } = job;
    const concurrency = envelope && keyOf(envelope, params.keyed);
    if (!envelope || !concurrency || (await keepKey(params, envelope, concurrency, until))) kept.push(job);
  }
  return kept;
}

async function keepKey(
  { bus, leases, now }: RatedPicksParams,
  { id, parks }: JobEnvelope,
  { key, limit }: Concurrency,
  until: number,
): Promise<boolean> {
  const { value } = await changeSemaphore<boolean>(bus, {
    name: keySlots(concurrencyHash(key)),
    async decide(semaphore) {
      const live = withoutOverdue(semaphore, now());
      const claim = { job: id, parks, limit };
      const reserved =
        reserveSlot(live, claim, until) ??
        reserveSlot(withoutLeases(live, await leases.gone(leasesOf(live))), claim, until);
      if (!reserved) return { value: false };
      // Nobody is parked for the key because of this.
      const { waiting: _kept, ...rest } = reserved;
      return { next: semaphore.waiting ? reserved : rest, value: true };
    },
  });
  return value;
}
