import {
  cancelledReason,
  type DoubtAnswer,
  decodeEnvelope,
  type JobEnvelope,
  orderOf,
  PHASES,
} from '@jetbeat/core';
import type { CancelledKeys, Delivery } from '@jetbeat/jetstream';
import type { Task } from '@jetbeat/task';
import type { Doubts } from '../doubts/doubts.ts';
import type { Recent } from '../doubts/recent.ts';
import type { Instant } from '../ends/own-retries.ts';
import type { Park } from '../ends/park.ts';
import type { Settle } from '../ends/settle.ts';
import { NOT_BEGUN } from '../ends/withdraw.ts';
import { adopt, freed, type Held, neverBegan } from '../held.ts';
import type { Limits } from '../limits/limits.ts';
import { createParkLimited } from '../limits/park-limited.ts';
import { createHold, type HoldParams } from './hold-delivery.ts';

/** How long a message is held back that cannot be decided now, milliseconds. */
const AGAIN_MS = 1_000;
/** How long a later step of a job waits that is still being settled here, milliseconds. */
const NEXT_STEP_MS = 100;

/** What deciding on deliveries needs of the worker. */
export interface IntakeParams extends HoldParams {
  readonly worker: string;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly recent: Recent;
  readonly cancelled: CancelledKeys;
  readonly doubts: Doubts;
  readonly settle: Settle;
  readonly park: Park;
  readonly limits: Limits;
  /** How often the event loop has stood still; it looks first. */
  readonly stalls: () => number;
  /** A message that is no job; it is buried and acknowledged. */
  readonly onMalformed: (delivery: Delivery, error: unknown) => void;
  /** The job may run as soon as a slot is free. */
  readonly onReady: (held: Held, task: Task) => void;
  /** The job is being parked for its limits: it takes no room from what may run. */
  readonly onPark: (held: Held) => void;
  /** The worker lets go of the job; `settled`: this step will not come again. */
  readonly onDone: (held: Held, settled: boolean) => void;
  /** Its queue is paused or was purged: it was given back, or ends as cancelled, and is held here no more. */
  readonly stops: (held: Held) => boolean;
  /** Gives back what has not begun, and tells history where it counts as running here. */
  readonly refuse: (held: Held, delayMs: number) => void;
  /** Something took over the job until it is done; its rejection is logged and ends nothing. */
  readonly track: (held: Held, work: Promise<void>) => void;
}

/** Decides what becomes of messages. */
export interface Intake {
  /** Takes a message that was delivered at this time. Returns the job that is held now because of it. */
  take(delivery: Delivery, at: Instant): Held | undefined;
  /** Asks about a held job that has not begun, and can be trusted no more. */
  doubt(held: Held): void;
  /** Claims the limits of a held job anew that has not begun, since it has waited too long for a handler. */
  again(held: Held): void;
}

/** Composes the decision. */
export function createIntake(params: IntakeParams): Intake {
  const {
    worker,
    tasks,
    held: jobs,
    recent,
    cancelled,
    doubts,
    settle,
    park,
    limits,
    track,
    onReady,
  } = params;

  const hold = createHold(params);
  const { onPark, onDone } = params;
  const parkLimited = createParkLimited({ park, limits, onPark, onDone });

  const answerTo = async (held: Held): Promise<DoubtAnswer | undefined> => {
    const { id, attempt, run, parks } = held.job;
    for (;;) {
      const stalls = params.stalls();
      const isFresh = held.isFresh && held.deliveries.length === 1;
      const answer = await doubts.ask({
        job: id,
        attempt,
        run,
        parks,
        worker,
        ...(isFresh ? { isFresh } : {}),
      });
      // An answer that lay unread while the event loop stood may be true no more.
      if (answer?.answer !== 'free' || params.stalls() === stalls) return answer;
    }
  };

  const ask = async (held: Held): Promise<void> => {
    const answer = await answerTo(held);
    held.granted = answer?.answer === 'free';
    switch (answer?.answer) {
      case undefined:
        return finish(held, park(held, { what: 'doubt' }));
      case 'free':
        // First the run: what is parked with an older one would come too late for history.
        held.job = freed(held.job, answer);
        return start(held);
      case 'held':
        return giveBack(held);
      case 'settled':
        return finish(held, settle.again(held, answer));
      case 'exhausted': {
        const text = `it lost its worker ${answer.losses} times; look for a crash in its handler`;
        return finish(held, settle.end(held, 'dead', { code: 'lost_too_often', text }));
      }
    }
  };

  const giveBack = (held: Held, delayMs = AGAIN_MS): void => {
    if (held.granted) {
      params.refuse(held, delayMs);
      return;
    }
    for (const delivery of held.deliveries) delivery.nak(delayMs);
    params.onDone(held, false);
  };

  const finish = async (held: Held, work: Promise<void>): Promise<void> => {
    await work;
    params.onDone(held, true);
  };

  /** It was put off, or into another lane, while it was on its way; another message stands for it. */
  const isMoved = (job: JobEnvelope): boolean => cancelled.isMoved(job.id, orderOf(job, PHASES.queued));

  const endCancelled = (held: Held): Promise<void> =>
    finish(held, settle.end(held, 'cancelled', cancelledReason(NOT_BEGUN)));
  /** Nothing is to be waited for where the task is served here. */
  const start = (held: Held): Promise<void> | undefined => {
    const { id, task } = held.job;
    // A slot that was kept for it is taken first: the next one of its key would wait for it until that time is over.
    if (cancelled.has(id)) return held.mayBeKept ? startLimited(held) : endCancelled(held);
    if (isMoved(held.job)) return finish(held, settle.again(held, {}));
    const served = tasks.get(task);
    if (!served) return params.stops(held) ? undefined : finish(held, park(held, { what: 'task', task }));
    if (limits.holds(held)) return startLimited(held);
    onReady(held, served);
    return undefined;
  };

  /** Runs it when its queue has a slot, and if its key has one; parks it otherwise. */
  const startLimited = async (held: Held): Promise<void> => {
    held.phase = 'claiming';
    const stalls = params.stalls();
    const claim = await limits.claim(held);
    if (claim.kind === 'later') return giveBack(held);
    if (claim.kind === 'closed') return giveBack(held, 0);
    if (claim.kind !== 'taken') return withoutSlot(held, claim);
    if (neverBegan(held)) held.traced = false;
    // A slot or a start that was kept for this step proves that nobody has run it. What its limits are may have changed since it came.
    const isSure = claim.proven || held.granted || !held.mustProve;
    if (!isSure || params.stalls() !== stalls) return doubt(held);
    const served = tasks.get(held.job.task);
    if (cancelled.has(held.job.id) || isMoved(held.job) || !served) return start(held);
    onReady(held, served);
  };
  const withoutSlot = (held: Held, claim: Parameters<typeof parkLimited>[1]): Promise<void> | undefined => {
    if (cancelled.has(held.job.id)) return endCancelled(held);
    // Parked it would have another message, which a purge of the queue might not know.
    if (params.stops(held)) return undefined;
    return claim.kind === 'full' && rekey(held) ? askOrStart(held) : parkLimited(held, claim);
  };
  /** Whether another key holds for it than when it began to wait, or another limit; nobody looks for it where it waited. */
  const rekey = (held: Held): boolean => {
    const before = held.job.policy?.concurrency;
    const job = limits.keyed(held.job);
    const now = job.policy?.concurrency;
    if (now?.key === before?.key && now?.limit === before?.limit) return false;
    held.job = job;
    return true;
  };
  const askOrStart = (held: Held) => (held.mustProve && !held.granted ? doubt(held) : start(held));

  const doubt = (held: Held): Promise<void> => {
    held.suspect = true;
    held.phase = 'asking';
    return ask(held);
  };

  const read = (delivery: Delivery): JobEnvelope | undefined => {
    try {
      return decodeEnvelope(delivery.data);
    } catch (error) {
      params.onMalformed(delivery, error);
      return undefined;
    }
  };

  const route = (held: Held): void => {
    // Also what is cancelled: it may be running elsewhere, where it is being stopped.
    if (held.suspect) {
      track(held, doubt(held));
    } else {
      const parking = start(held);
      if (parking !== undefined) track(held, parking);
    }
  };

  /** Something may be kept for it under the key for which it was parked. */
  const leaveKey = (found: JobEnvelope, job: JobEnvelope): void => {
    const parkedFor = found.parks > 0 ? found.policy?.concurrency : undefined;
    if (parkedFor && parkedFor.key !== job.policy?.concurrency?.key) limits.left(parkedFor, job.id);
  };

  const take = (delivery: Delivery, at: Instant): Held | undefined => {
    const found = read(delivery);
    if (!found) return undefined;
    const job = limits.keyed(found);
    if (recent.has(delivery.seq, job.id)) {
      delivery.ack();
      return undefined;
    }
    const known = jobs.get(job.id);
    if (known) {
      // A later step waits until this one is settled here.
      if (adopt(known, delivery, job)) return known;
      if (!known.keepNext(delivery)) delivery.nak(NEXT_STEP_MS);
      return undefined;
    }
    if (isMoved(job)) {
      delivery.ack();
      return undefined;
    }
    const held = hold(delivery, job, at);
    leaveKey(found, job);
    route(held);
    return held;
  };
  return {
    take,
    doubt(held) {
      // Whatever was known of it when it came.
      held.isFresh = false;
      track(held, doubt(held));
    },
    again: (held) => track(held, startLimited(held)),
  };
}
