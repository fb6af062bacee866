import {
  concurrencyHash,
  dropHolders,
  factsOf,
  leasesOf,
  messageId,
  parseTraceparent,
  reserveSlot,
  type Semaphore,
  type SlotHolder,
  withoutOverdue,
} from '@jetbeat/core';
import type { Bus } from './bus.ts';
import type { EventPublisher } from './event-publisher.ts';
import { deleteJobMessage, findMessage, nextParked, type StoredJob } from './find-message.ts';
import type { LeaseWatch } from './leases.ts';
import { publishJobs } from './publish-jobs.ts';
import { changeSemaphore, keySlots, type StoredSemaphore } from './semaphores.ts';

/** What handing over the slots of a key needs. */
export interface HandOverParams {
  readonly bus: Bus;
  readonly events: Pick<EventPublisher, 'publish'>;
  /** See `concurrencyHash`. */
  readonly hash: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly leases: LeaseWatch;
  /** The caller's own holders that hold no more. */
  readonly goes?: (holder: SlotHolder, job: string) => boolean;
  /** Looks for parked jobs although nothing says that any wait. */
  readonly look?: boolean;
  /** What the slots were a moment ago, to save a reading. */
  readonly known?: StoredSemaphore | undefined;
}

/** What came of it. */
export interface HandedOver {
  /** Jobs that were put back on their queues. */
  readonly jobs: number;
  readonly stored: StoredSemaphore;
}

/** How long a slot is kept for a job on its way to its queue and to a worker, milliseconds. */
const RESERVE_MS = 10_000;
/** Jobs in one call: as many as one key may have at once, and some that are already on their way. */
const MAX_STEPS = 2_000;

type Step =
  | { readonly kind: 'done' }
  | { readonly kind: 'leftover' | 'underway' | 'reserved'; readonly job: StoredJob };

/**
 * Gives the free slots of a key to the jobs that are parked for it, the oldest first: keeps the slot, puts the job back on
 * its queue, tells history, clears the parking place. Whoever does the same at the same time gets other jobs, since the slot
 * is kept by compare-and-set. A crash after any step leaves the job in JetStream; the slot is free again when its
 * time is over (docs/decisions/limits.md).
 * @throws JetStreamCallError, PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function handOver(params: HandOverParams): Promise<HandedOver> {
  const { bus, hash } = params;
  let { known, look = false } = params;
  let from = 1;
  let jobs = 0;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const { value, stored } = await changeSemaphore<Step>(bus, {
      name: keySlots(hash),
      known,
      decide: (semaphore) => decide(params, semaphore, { look, from }),
    });
    known = stored;
    if (value.kind === 'done') break;
    look = true;
    const { job } = value;
    if (value.kind === 'leftover') await deleteJobMessage(bus, job.seq);
    else if (value.kind === 'underway') from = job.seq + 1;
    else if (await putBack(params, job)) jobs++;
    else known = await giveUp(bus, hash, job.envelope?.id ?? '');
  }
  return { jobs, stored: known ?? { semaphore: { holders: {} }, seq: 0 } };
}

/** The next step, and what it makes of the slots. */
async function decide(
  { bus, hash, now, leases, goes }: HandOverParams,
  semaphore: Semaphore,
  { look, from }: { look: boolean; from: number },
): Promise<{ next?: Semaphore; value: Step }> {
  const current = withoutOverdue(goes ? dropHolders(semaphore, goes) : semaphore, now());
  if (!current.waiting && !look) return { next: current, value: { kind: 'done' } };
  const job = await nextParked(bus, { hash, from });
  const { envelope } = job ?? {};
  const wanted = envelope?.policy?.concurrency;
  if (!job) {
    const { waiting, ...rest } = current;
    return { next: waiting && from === 1 ? rest : current, value: { kind: 'done' } };
  }
  // Not what this version parks there.
  if (!envelope || !wanted || concurrencyHash(wanted.key) !== hash)
    return { next: current, value: { kind: 'underway', job } };
  const holder = current.holders[envelope.id];
  if (holder) return { next: current, value: { kind: 'lease' in holder ? 'leftover' : 'underway', job } };
  const claim = { job: envelope.id, parks: envelope.parks, limit: wanted.limit };
  const reserved = reserveSlot(current, claim, now() + RESERVE_MS);
  if (reserved) return { next: reserved, value: { kind: 'reserved', job } };
  const gone = await leases.gone(leasesOf(current));
  const freed = dropHolders(current, (one) => 'lease' in one && gone.has(one.lease));
  const again = freed === current ? undefined : reserveSlot(freed, claim, now() + RESERVE_MS);
  if (again) return { next: again, value: { kind: 'reserved', job } };
  return { next: current.waiting ? current : { ...current, waiting: true }, value: { kind: 'done' } };
}

/** False when the job is not parked any more: it was put back, has run and is done since it was looked at. */
async function putBack({ bus, events, now }: HandOverParams, job: StoredJob): Promise<boolean> {
  const { envelope, traceparent, link, seq } = job;
  if (!envelope) return false;
  const freed = { envelope, traceparent, link, messageId: `${messageId(envelope)}.freed${seq}` };
  const [result] = await publishJobs(bus, [freed]);
  if (!result) throw new Error('publishJobs answered nothing');
  if (!result.ok) throw result.error;
  if (result.duplicate && (await findMessage(bus, { seq }))?.envelope?.id !== envelope.id) return false;
  const traceId = parseTraceparent(traceparent)?.traceId;
  const at = result.duplicate ? undefined : result.seq;
  await events.publish({ kind: 'released', ...factsOf(envelope, traceId, at), at: now() });
  await deleteJobMessage(bus, seq);
  return true;
}

async function giveUp(bus: Bus, hash: string, job: string): Promise<StoredSemaphore> {
  const { stored } = await changeSemaphore(bus, {
    name: keySlots(hash),
    decide: (semaphore) => ({
      next: dropHolders(semaphore, (holder, id) => id === job && 'until' in holder),
      value: undefined,
    }),
  });
  return stored;
}
