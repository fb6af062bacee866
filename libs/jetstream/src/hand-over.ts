import {
  type Concurrency,
  concurrencyHash,
  dropHolders,
  isFull,
  type JobEnvelope,
  leasesOf,
  noteWaiting,
  orderOf,
  PHASES,
  reserveSlot,
  type Semaphore,
  type SlotHolder,
  withoutOverdue,
} from '@jetbeat/core';
import type { Bus } from './bus.ts';
import type { EventPublisher } from './event-publisher.ts';
import { deleteJobMessage, nextParked, type StoredJob } from './find-message.ts';
import type { LeaseWatch } from './leases.ts';
import { putBack } from './put-back.ts';
import { changeSemaphore, type Decided, keySlots, type StoredSemaphore } from './semaphores.ts';

/** What handing over the slots of a key needs. */
export interface HandOverParams {
  readonly bus: Bus;
  readonly events: Pick<EventPublisher, 'publish'>;
  /** See `concurrencyHash`. */
  readonly hash: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly leases: LeaseWatch;
  /** The job with the key that holds for it now: its task may say another limit than when it was parked. Default: as it was parked. */
  readonly keyed?: ((job: JobEnvelope) => JobEnvelope) | undefined;
  /** Whether no job of a queue may begin now: such a one stays where it is, and others go before it. Default: of none. */
  readonly isPaused?: ((queue: string) => boolean) | undefined;
  /** Those that are parked before this sequence are known to be such (`HandedOver.from`). */
  readonly from?: number | undefined;
  /** What waits for a key that holds for it no more goes back to its queue, without a slot. */
  readonly moved?: boolean | undefined;
  /** The caller's own holders that hold no more. */
  readonly goes?: (holder: SlotHolder, job: string) => boolean;
  /** Looks for parked jobs although nothing says that any wait. */
  readonly look?: boolean;
  /**
   * The job whose slot is given on, when that was kept for it while it was parked here. It was the oldest then: what is left of it
   * in its parking place is found first, and deleted while it still has the slot.
   */
  readonly done?: JobEnvelope | undefined;
  /** Jobs that are looked at in this call at most. Default 2,000. */
  readonly most?: number | undefined;
  /** What the slots were a moment ago, to save a reading. */
  readonly known?: StoredSemaphore | undefined;
}

/** What came of it. */
export interface HandedOver {
  /** Jobs that were put back on their queues. */
  readonly jobs: number;
  readonly stored: StoredSemaphore;
  /** It has done as much as one call does: others may be there that can go. */
  readonly more: boolean;
  /** All that are parked before this sequence belong to queues that are paused; nobody need look at them while they are. */
  readonly from: number;
}

/** How long a slot is kept for a job on its way to its queue and to a worker, milliseconds. */
const RESERVE_MS = 10_000;
/** Jobs in one call: as many as one key may have at once, and some that are already on their way. */
const MAX_STEPS = 2_000;

type Step =
  | { readonly kind: 'done' }
  | { readonly kind: 'leftover' | 'underway' | 'reserved' | 'moved' | 'paused'; readonly job: StoredJob };

/**
 * Gives the free slots of a key to the jobs that are parked for it, the oldest first: keeps the slot, puts the job back on
 * its queue, tells history, clears the parking place. Whoever does the same at the same time gets other jobs, since the slot
 * is kept by compare-and-set. A crash after any step leaves the job in JetStream; the slot is free again when its
 * time is over (docs/decisions/limits.md).
 * @throws JetStreamCallError, PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function handOver(params: HandOverParams): Promise<HandedOver> {
  const { bus, hash, from = 1, most = MAX_STEPS } = params;
  const walk = { from, paused: from, look: params.look === true || params.done !== undefined, jobs: 0 };
  let { known } = params;
  let steps = 0;
  let more = true;
  while (more && steps < most) {
    const { value, stored } = await changeSemaphore<Step>(bus, {
      name: keySlots(hash),
      known,
      decide: (semaphore) => decide(params, semaphore, walk),
    });
    known = stored;
    if (value.kind === 'done') more = false;
    else if (value.kind === 'paused') passOver(walk, value.job);
    else {
      steps++;
      known = (await carryOut(params, value, walk)) ?? known;
    }
  }
  return {
    jobs: walk.jobs,
    stored: known ?? { semaphore: { holders: {} }, seq: 0 },
    more,
    from: walk.paused,
  };
}

/** How far it has come: all before `from` were seen, all before `paused` belong to paused queues. */
interface Walk {
  from: number;
  paused: number;
  look: boolean;
  jobs: number;
}

/** Whoever comes behind must be found, however many these are: they are no steps, and nobody looks at them twice. */
function passOver(walk: Walk, { seq }: StoredJob): void {
  if (walk.paused === walk.from) walk.paused = seq + 1;
  walk.from = seq + 1;
}

/** Returns what the slots are now, where that changes them. */
async function carryOut(
  params: HandOverParams,
  { kind, job }: Exclude<Step, { kind: 'done' }>,
  walk: Walk,
): Promise<StoredSemaphore | undefined> {
  const { bus, hash } = params;
  if (kind === 'leftover') await deleteJobMessage(bus, job.seq);
  else if (kind === 'underway') walk.from = job.seq + 1;
  else if ((await putBack(params, [job]))[0]) {
    walk.jobs++;
    // It says now that some wait, and how many slots each of them can do with.
    if (kind === 'reserved') walk.look = false;
  } else if (kind === 'reserved') return giveUp(bus, hash, job.envelope?.id ?? '');
  return undefined;
}

/**
 * The next step, and what it makes of the slots. Whoever changes these later looks for parked jobs in turn, so what was right
 * a moment ago need not be looked at again by one who gives a slot on.
 */
async function decide(params: HandOverParams, semaphore: Semaphore, walk: Walk): Promise<Decided<Step>> {
  const { bus, hash, now, goes } = params;
  const { look, from } = walk;
  const current = withoutOverdue(goes ? dropHolders(semaphore, goes) : semaphore, now());
  const sure = params.look !== true;
  if (!look && (!current.waiting || isFull(current))) return { value: { kind: 'done' }, next: current, sure };
  const job = await nextParked(bus, { hash, from });
  if (job) return decideOn(params, job, { semaphore, current });
  const first = from > 1 && from === params.from ? await nextParked(bus, { hash }) : undefined;
  if (first && isMisplaced(params, first)) {
    Object.assign(walk, { from: 1, paused: 1 });
    return decideOn(params, first, { semaphore, current });
  }
  const { waiting, most: _, ...rest } = current;
  const isNobody = from === 1 || (from === params.from && first === undefined);
  return { value: { kind: 'done' }, next: waiting && isNobody ? rest : current, sure };
}

/** It is parked where all belong to paused queues: a stream that has lost its tail, or all, counts on from an earlier place. */
function isMisplaced({ isPaused }: HandOverParams, { envelope }: StoredJob): boolean {
  return !envelope || isPaused?.(envelope.queue) !== true;
}

/** The same, with the oldest that has not been seen. `current`: without what holds no more. */
async function decideOn(
  params: HandOverParams,
  job: StoredJob,
  { semaphore, current }: { readonly semaphore: Semaphore; readonly current: Semaphore },
): Promise<Decided<Step>> {
  const { hash, now, leases, done, isPaused } = params;
  const step = (value: Step, next: Semaphore = current) => ({ next, value, sure: params.look !== true });
  // What is left of it in its parking place has to be found first.
  const unchanged = done ? semaphore : current;
  const { envelope } = job;
  // Its slot is still its own.
  if (done && envelope && isSame(done, envelope)) return step({ kind: 'leftover', job }, semaphore);
  const parkedFor = envelope?.policy?.concurrency;
  // Not what this version parks there.
  if (!envelope || !parkedFor || concurrencyHash(parkedFor.key) !== hash)
    return step({ kind: 'underway', job }, unchanged);
  const holder = current.holders[envelope.id];
  if (holder) return step({ kind: 'lease' in holder ? 'leftover' : 'underway', job }, unchanged);
  const limit = limitNow(params, envelope, parkedFor);
  if (limit === undefined) return step({ kind: 'moved', job }, unchanged);
  // Kept for it, the slot would be used by nobody until that time is over.
  if (isPaused?.(envelope.queue))
    return { value: { kind: 'paused', job }, next: noteWaiting(unchanged, limit), sure: true };
  const kept = await keepSlot(leases, current, { envelope, limit, until: now() + RESERVE_MS });
  return kept
    ? step({ kind: 'reserved', job }, noteWaiting(kept, limit))
    : step({ kind: 'done' }, noteWaiting(current, limit));
}

/** Keeps a slot for a parked job; one that is held under a lease that is gone is free. */
async function keepSlot(
  leases: LeaseWatch,
  semaphore: Semaphore,
  { envelope, limit, until }: { envelope: JobEnvelope; limit: number; until: number },
): Promise<Semaphore | undefined> {
  const claim = { job: envelope.id, parks: envelope.parks, limit, here: true };
  const kept = reserveSlot(semaphore, claim, until);
  if (kept) return kept;
  const gone = await leases.gone(leasesOf(semaphore));
  const freed = dropHolders(semaphore, (one) => 'lease' in one && gone.has(one.lease));
  return freed === semaphore ? undefined : reserveSlot(freed, claim, until);
}

/** The limit that holds for a parked job now; undefined where it is to wait for this key no more. */
function limitNow(
  { keyed, moved }: HandOverParams,
  envelope: JobEnvelope,
  parkedFor: Concurrency,
): number | undefined {
  const wanted = keyed ? keyed(envelope).policy?.concurrency : parkedFor;
  if (wanted?.key === parkedFor.key) return wanted.limit;
  return moved ? undefined : parkedFor.limit;
}

/** The same step of one job. */
function isSame(one: JobEnvelope, other: JobEnvelope): boolean {
  return one.id === other.id && orderOf(one, PHASES.queued) === orderOf(other, PHASES.queued);
}

/**
 * Takes back the slot of a key (`concurrencyHash`) that was kept for a job; one that it has taken stays its own.
 * @throws JetStreamCallError, BusClosedError
 */
export async function giveUp(bus: Bus, hash: string, job: string): Promise<StoredSemaphore> {
  const { stored } = await changeSemaphore(bus, {
    name: keySlots(hash),
    decide: (semaphore) => ({
      next: dropHolders(semaphore, (holder, id) => id === job && 'until' in holder),
      value: undefined,
    }),
  });
  return stored;
}
