import {
  concurrencyHash,
  dropHolders,
  idleAfter,
  type JobEnvelope,
  letGo,
  mayGo,
  nextGoesAt,
  type Pace,
  type RateAsk,
  type Semaphore,
  TURN_MS,
  withoutOverdue,
} from '@jetbeat/core';
import type { Bus } from '../connection/bus.ts';
import type { EventPublisher } from '../events/event-publisher.ts';
import { nextParked, type StoredJob } from './find-message.ts';
import { giveUp } from './hand-over.ts';
import type { LeaseWatch } from './leases.ts';
import { putBack } from './put-back.ts';
import { keepKeys, keyOf, pickRated } from './rated-picks.ts';
import { changeSemaphore, rateState, readSemaphore, type StoredSemaphore } from './semaphores.ts';

/** What a rate is for whoever knows the tasks. */
export interface KnownRate {
  /** Whose rate holds for the job now; absent: none does. */
  readonly hash?: string;
  readonly pace?: Pace;
}

/** What letting parked jobs go needs. */
export interface ReleaseRatedParams {
  readonly bus: Bus;
  readonly events: Pick<EventPublisher, 'publish'>;
  /** See `JobRate`. */
  readonly hash: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** What holds for a job now; undefined where the caller does not know its task: then what was noted counts. */
  readonly rateOf?: ((envelope: JobEnvelope) => KnownRate | undefined) | undefined;
  readonly leases: LeaseWatch;
  /** See `HandOverParams`. */
  readonly keyed?: ((job: JobEnvelope) => JobEnvelope) | undefined;
  /** Where the last look ended (`goOn`); absent: with the oldest. */
  readonly from?: number | undefined;
}

/** What came of it. */
export interface ReleasedRated {
  /** Jobs that were put back on their queues. */
  readonly jobs: number;
  /** Whether others are parked. */
  readonly waiting: boolean;
  /** When the next one may go, Unix milliseconds. */
  readonly dueAt: number;
  /** Jobs whose keys are busy filled this look: the next one is to go on behind them, from this sequence. */
  readonly goOn?: number;
}

/** Jobs in one call. */
const MOST = 100;
/** When it is looked again for a job whose key is busy, milliseconds. */
const BUSY_MS = 500;
/** When it is looked on behind such jobs, milliseconds. */
const GO_ON_MS = 50;
/** How long what was used is kept beyond the time for which it counts, milliseconds. */
const SPARE_MS = 60_000;
/** How long it is kept while jobs wait: longer than any start can be ahead, milliseconds. */
const WAITING_MS = 2 * 86_400_000;

/** After how long the server may forget a rate. */
export function keepRate(state: Semaphore): number {
  const idle = idleAfter(state, Date.now());
  return idle === undefined ? WAITING_MS : idle + SPARE_MS;
}

/**
 * Puts the jobs back on their queues that are parked for a rate and whose starts are about to be due, the oldest first; of those
 * with a concurrency key the oldest whose key has a free slot, which is kept for it. The order is that of `handOver`: keep, publish, tell
 * history, clear the parking place. Whoever does the same at the same time gets other jobs. A crash after any step leaves
 * the job in JetStream; what was kept is over after 10 s (docs/decisions/limits.md).
 * @throws JetStreamCallError, PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function releaseRated(params: ReleaseRatedParams): Promise<ReleasedRated> {
  const { bus, hash, now } = params;
  const first = await nextParked(bus, { hash, what: 'rate' });
  if (!first) {
    await noMore(params);
    return { jobs: 0, waiting: false, dueAt: now() };
  }
  const known = await readSemaphore(bus, rateState(hash));
  const state = withoutOverdue(known.semaphore, now());
  const pace = paceOf(params, first, state);
  const due = pace ? mayGo(state, pace, MOST, now()) : MOST;
  const begin =
    params.from === undefined ? first : await nextParked(bus, { hash, what: 'rate', from: params.from });
  const most = Math.min(due, MOST);
  const { picked, skipped, busy, goOn } = await pickRated(params, { state, first: begin ?? first, most });
  const turns = await keepTurns(params, picked, { pace, known });
  const gone = await keepKeys(params, turns.jobs, now() + TURN_MS);
  if (gone.length < turns.jobs.length) await dropTurns(params, minus(turns.jobs, gone));
  const jobs = await putBackAll(params, gone);
  // Whoever waits for a key is looked at again soon; else when the next start is due.
  const busyMs = goOn === undefined ? BUSY_MS : GO_ON_MS;
  const dueAt = busy && jobs < due ? now() + busyMs : turns.dueAt;
  const waiting = skipped || jobs > 0 || params.from !== undefined;
  return { jobs, waiting, dueAt, ...(goOn === undefined ? {} : { goOn }) };
}

/** What the rate is now: by what the caller knows of the job that waits longest, else as it was noted. */
function paceOf({ hash, rateOf }: ReleaseRatedParams, first: StoredJob, state: Semaphore): Pace | undefined {
  const known = first.envelope && rateOf?.(first.envelope);
  if (!known) return state.pace;
  // It waits for what holds no more.
  return known.hash === hash ? known.pace : undefined;
}

/** Keeps the starts of as many of these jobs as are due; others may have been faster. */
async function keepTurns(
  { bus, hash, now }: ReleaseRatedParams,
  picked: readonly StoredJob[],
  { pace, known }: { readonly pace: Pace | undefined; readonly known: StoredSemaphore },
): Promise<{ readonly jobs: readonly StoredJob[]; readonly dueAt: number }> {
  const asks = picked.flatMap(({ envelope }): RateAsk[] =>
    envelope ? [{ job: envelope.id, parks: envelope.parks }] : [],
  );
  const { value, stored } = await changeSemaphore<readonly RateAsk[]>(bus, {
    name: rateState(hash),
    known,
    keepMs: keepRate,
    decide(semaphore) {
      const { next, gone } = letGo(semaphore, pace, asks, now());
      const same = gone.length === 0 && semaphore.waiting && next.pace === semaphore.pace;
      return same ? { value: gone } : { next, value: gone };
    },
  });
  const ids = new Set(value.map(({ job }) => job));
  const jobs = picked.filter(({ envelope }) => envelope !== undefined && ids.has(envelope.id));
  const state = withoutOverdue(stored.semaphore, now());
  return { jobs, dueAt: pace ? nextGoesAt(state, pace, now()) : now() };
}

async function dropTurns({ bus, hash }: ReleaseRatedParams, jobs: readonly StoredJob[]): Promise<void> {
  const ids = new Set(jobs.map(({ envelope }) => envelope?.id));
  await changeSemaphore(bus, {
    name: rateState(hash),
    keepMs: keepRate,
    decide: (semaphore) => ({
      next: dropHolders(semaphore, (holder, id) => 'until' in holder && ids.has(id)),
      value: undefined,
    }),
  });
}

function minus(all: readonly StoredJob[], some: readonly StoredJob[]): StoredJob[] {
  return all.filter((one) => !some.includes(one));
}

/** Returns how many jobs went. Of one that is not parked any more nothing is kept. */
async function putBackAll(params: ReleaseRatedParams, jobs: readonly StoredJob[]): Promise<number> {
  const went = await putBack(params, jobs);
  const stale = jobs.filter((_, index) => !went[index]);
  if (stale.length > 0) {
    await dropTurns(params, stale);
    for (const { envelope } of stale) await dropKey(params, envelope);
  }
  return jobs.length - stale.length;
}

async function dropKey({ bus, keyed }: ReleaseRatedParams, envelope: JobEnvelope | undefined): Promise<void> {
  const key = envelope && keyOf(envelope, keyed)?.key;
  if (envelope && key !== undefined) await giveUp(bus, concurrencyHash(key), envelope.id);
}

/** Nobody waits any more. Whoever parks a job at the same time looks after it. */
async function noMore({ bus, hash }: ReleaseRatedParams): Promise<void> {
  await changeSemaphore(bus, {
    name: rateState(hash),
    keepMs: keepRate,
    decide({ waiting, ...rest }) {
      return waiting ? { next: rest, value: undefined } : { value: undefined };
    },
  });
}
