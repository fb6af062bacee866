import {
  type Concurrency,
  concurrencyHash,
  dropHolders,
  isFull,
  type JobEnvelope,
  noteWaiting,
  orderOf,
  PHASES,
  type Semaphore,
  type SlotHolder,
  withoutOverdue,
} from '@jetbeat/core';
import type { Bus } from '../connection/bus.ts';
import type { EventPublisher } from '../events/event-publisher.ts';
import { parkedSubject } from '../streams/names.ts';
import { deleteJobMessage, findMessage, nextParked, type StoredJob } from './find-message.ts';
import { keepSlot, keptInVain, type QueueStandings, standingOf } from './keep-slot.ts';
import type { LeaseWatch } from './leases.ts';
import { type Candidate, createParkedWalk, type ParkedWalk, type PassedOver } from './parked-walk.ts';
import { putBack } from './put-back.ts';
import { changeSemaphore, type Decided, keySlots, type StoredSemaphore } from './semaphores.ts';

/** What handing over the slots of a key needs. */
export interface HandOverParams extends QueueStandings {
  readonly bus: Bus;
  readonly events: Pick<EventPublisher, 'publish'>;
  /** See `concurrencyHash`. */
  readonly hash: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly leases: LeaseWatch;
  /** The job with the key that holds for it now: its task may say another limit than when it was parked. Default: as it was parked. */
  readonly keyed?: ((job: JobEnvelope) => JobEnvelope) | undefined;
  /** What was passed over before (`HandedOver.passed`). */
  readonly passed?: PassedOver | undefined;
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
  /** Nobody need walk over these again. */
  readonly passed: PassedOver | undefined;
}

/** Jobs in one call: as many as one key may have at once, and some that are already on their way. */
const MAX_STEPS = 2_000;

type Step =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'leftover' | 'underway' | 'reserved' | 'moved' | 'passed';
      readonly candidate: Candidate;
    };

/** How far it has come. */
interface Progress {
  readonly walk: ParkedWalk;
  look: boolean;
  jobs: number;
}

/**
 * Gives the free slots of a key to the jobs that are parked for it: to the oldest whose queue goes on, or where none does to the oldest.
 * Keeps the slot, puts the job back on its queue, tells history, clears the parking place. Whoever does the same at the same time gets
 * other jobs, since the slot is kept by compare-and-set. A crash after any step leaves the job in JetStream; the slot is free again when
 * its time is over (docs/decisions/limits.md).
 * @throws JetStreamCallError, PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function handOver(params: HandOverParams): Promise<HandedOver> {
  const { bus, hash, done, most = MAX_STEPS } = params;
  const first = done && (await clearDone(params, done));
  const walk = createParkedWalk({
    bus,
    hash,
    passed: params.moved ? undefined : params.passed,
    first,
    standing: (queue) => standingOf(params, queue),
  });
  const progress: Progress = { walk, look: params.look === true || done !== undefined, jobs: 0 };
  let { known } = params;
  let steps = 0;
  let more = true;
  while (more && steps < most) {
    const { value, stored } = await changeSemaphore<Step>(bus, {
      name: keySlots(hash),
      known,
      decide: (semaphore) => decide(params, semaphore, progress),
    });
    known = stored;
    if (value.kind === 'done') more = false;
    // Whoever comes behind must be found, however many these are: they are no steps.
    else if (value.kind === 'passed') walk.passOver(value.candidate);
    else {
      steps++;
      known = (await carryOut(params, value, progress)) ?? known;
    }
  }
  return {
    jobs: progress.jobs,
    stored: known ?? { semaphore: { holders: {} }, seq: 0 },
    more,
    passed: walk.passed,
  };
}

/**
 * Clears what is left of the job that is done, before its slot is free. No job of its queue was older than it when it was put back; older
 * ones of another queue may have been passed over. Returns the oldest that is parked, unless that was it.
 */
async function clearDone({ bus, hash }: HandOverParams, done: JobEnvelope): Promise<StoredJob | undefined> {
  const first = await nextParked(bus, { hash });
  const isOther = first?.envelope !== undefined && first.envelope.queue !== done.queue;
  const place = { queue: done.queue, what: { what: 'key', hash }, id: done.id } as const;
  const left = isOther ? await findMessage(bus, { subject: parkedSubject(bus, place) }) : first;
  if (!left?.envelope || !isSame(done, left.envelope)) return first;
  await deleteJobMessage(bus, left.seq);
  return isOther ? first : undefined;
}

/** Returns what the slots are now, where that changes them. */
async function carryOut(
  params: HandOverParams,
  { kind, candidate }: Exclude<Step, { kind: 'done' }>,
  progress: Progress,
): Promise<StoredSemaphore | undefined> {
  const { bus, hash } = params;
  const { job } = candidate;
  if (kind === 'leftover') await deleteJobMessage(bus, job.seq);
  else if (kind === 'underway') progress.walk.skip(candidate);
  else if ((await putBack(params, [job]))[0]) {
    progress.jobs++;
    // It says now that some wait, and how many slots each of them can do with.
    if (kind === 'reserved') progress.look = false;
  } else if (kind === 'reserved') return giveUp(bus, hash, job.envelope?.id ?? '');
  return undefined;
}

/**
 * The next step, and what it makes of the slots. Whoever changes these later looks for parked jobs in turn, so what was right
 * a moment ago need not be looked at again by one who gives a slot on.
 */
async function decide(
  params: HandOverParams,
  semaphore: Semaphore,
  { walk, look }: Progress,
): Promise<Decided<Step>> {
  const { now, goes } = params;
  const current = withoutOverdue(goes ? dropHolders(semaphore, goes) : semaphore, now());
  const sure = params.look !== true;
  const isOver = !current.waiting || (isFull(current) && (await keptInVain(params, current)).size === 0);
  if (!look && isOver) return { value: { kind: 'done' }, next: current, sure };
  const candidate = await walk.next();
  if (candidate) return decideOn(params, candidate, { semaphore, current, passes: walk.passes });
  const { waiting, most: _, ...rest } = current;
  return { value: { kind: 'done' }, next: waiting && walk.nobody ? rest : current, sure };
}

/** The same, with the one that is to be looked at. `current`: without what holds no more. */
async function decideOn(
  params: HandOverParams,
  candidate: Candidate,
  {
    semaphore,
    current,
    passes,
  }: { readonly semaphore: Semaphore; readonly current: Semaphore; readonly passes: boolean },
): Promise<Decided<Step>> {
  const { hash, done } = params;
  const { job, standing, last } = candidate;
  const step = (kind: Exclude<Step['kind'], 'done'>, next: Semaphore = current) => ({
    value: { kind, candidate },
    next,
    sure: params.look !== true,
  });
  // Nothing is given up before it is given on.
  const unchanged = done ? semaphore : current;
  const { envelope } = job;
  const parkedFor = envelope?.policy?.concurrency;
  // Not what this version parks there.
  if (!envelope || !parkedFor || concurrencyHash(parkedFor.key) !== hash) return step('underway', unchanged);
  const holder = current.holders[envelope.id];
  if (holder) return step('lease' in holder ? 'leftover' : 'underway', unchanged);
  const limit = limitNow(params, envelope, parkedFor);
  if (limit === undefined) return step('moved', unchanged);
  // Kept for it, the slot would be used by nobody until that time is over.
  if (standing !== 'goes' && !last) return { ...step('passed', noteWaiting(unchanged, limit)), sure: true };
  const kept = await keepSlot(params, current, { envelope, limit, last, here: !passes });
  return kept
    ? step('reserved', noteWaiting(kept, limit))
    : { value: { kind: 'done' }, next: noteWaiting(current, limit), sure: params.look !== true };
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
