import {
  type DoubtAnswer,
  decodeEnvelope,
  isSuspect,
  type JobEnvelope,
  orderOf,
  PHASES,
} from '@jetbeat/core';
import type { Bus, CancelledKeys, Delivery } from '@jetbeat/jetstream';
import type { Task } from '@jetbeat/task';
import type { Doubts } from './doubts.ts';
import { adopt, Held, type HeldJobs } from './held.ts';
import type { Instant, OwnRetries } from './own-retries.ts';
import type { Park } from './park.ts';
import type { Recent } from './recent.ts';
import type { Settle } from './settle.ts';

/** How long a message is held back that cannot be decided now, milliseconds. */
const AGAIN_MS = 1_000;
/** How long a later step of a job waits that is still being settled here, milliseconds. */
const NEXT_STEP_MS = 100;

/** What deciding on deliveries needs of the worker. */
export interface IntakeParams {
  readonly worker: string;
  readonly bus: Bus;
  readonly ackWaitMs: number;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly held: HeldJobs;
  readonly recent: Recent;
  readonly own: OwnRetries;
  readonly cancelled: CancelledKeys;
  readonly doubts: Doubts;
  readonly settle: Settle;
  readonly park: Park;
  readonly now: () => number;
  /** Highest sequence of a queue that may have been settled before this worker saw it. */
  readonly settledUpTo: (queue: string) => number;
  /** How often the event loop has stood still; it looks first. */
  readonly stalls: () => number;
  /** A message that is no job; it is buried and acknowledged. */
  readonly onMalformed: (delivery: Delivery, error: unknown) => void;
  /** The job may run as soon as a slot is free. */
  readonly onReady: (held: Held, task: Task) => void;
  /** The worker lets go of the job; `settled`: this step will not come again. */
  readonly onDone: (held: Held, settled: boolean) => void;
  /** Something took over the job until it is done; its rejection is logged and ends nothing. */
  readonly track: (held: Held, work: Promise<void>) => void;
}

/** Decides what becomes of messages. */
export interface Intake {
  /** Takes a message that was delivered at this time. Returns the job that is held now because of it. */
  take(delivery: Delivery, at: Instant): Held | undefined;
  /** Asks about a held job that has not begun, and can be trusted no more. */
  doubt(held: Held): void;
}

/** Composes the decision. */
export function createIntake(params: IntakeParams): Intake {
  const {
    worker,
    bus,
    tasks,
    held: jobs,
    recent,
    own,
    cancelled,
    doubts,
    settle,
    park,
    now,
    track,
    onReady,
  } = params;

  const answerTo = async ({ job: { id, attempt, run, parks } }: Held): Promise<DoubtAnswer | undefined> => {
    for (;;) {
      const stalls = params.stalls();
      const answer = await doubts.ask({ job: id, attempt, run, parks, worker });
      // An answer that lay unread while the event loop stood may be true no more.
      if (answer?.answer !== 'free' || params.stalls() === stalls) return answer;
    }
  };

  const ask = async (held: Held): Promise<void> => {
    const answer = await answerTo(held);
    switch (answer?.answer) {
      case undefined:
        return finish(held, park(held, { what: 'doubt' }));
      case 'free':
        // First the run: what is parked with an older one would come too late for history.
        held.job = { ...held.job, run: answer.run };
        return start(held);
      case 'held':
        for (const delivery of held.deliveries) delivery.nak(AGAIN_MS);
        params.onDone(held, false);
        return;
      case 'settled':
        return finish(held, settle.again(held, answer));
      case 'exhausted': {
        const text = `it lost its worker ${answer.losses} times; look for a crash in its handler`;
        return finish(held, settle.end(held, 'dead', { code: 'lost_too_often', text }));
      }
    }
  };

  const finish = async (held: Held, work: Promise<void>): Promise<void> => {
    await work;
    params.onDone(held, true);
  };

  /** Nothing is to be waited for where the task is served here. */
  const start = (held: Held): Promise<void> | undefined => {
    const { task } = held.job;
    const served = tasks.get(task);
    if (!served) return finish(held, park(held, { what: 'task', task }));
    onReady(held, served);
    return undefined;
  };

  const doubt = (held: Held): void => {
    held.suspect = true;
    held.phase = 'asking';
    track(held, ask(held));
  };

  const suspect = (delivery: Delivery, job: JobEnvelope, own: boolean): boolean =>
    isSuspect({
      deliveryCount: delivery.deliveryCount,
      attempt: job.attempt,
      run: job.run,
      parks: job.parks,
      own,
      repeat: delivery.repeat,
      seq: delivery.seq,
      settledUpTo: params.settledUpTo(job.queue),
      fromTimer: delivery.fromTimer,
      connectedFor: now() - bus.connectedAt,
      ackWait: params.ackWaitMs,
    });

  const read = (delivery: Delivery): JobEnvelope | undefined => {
    try {
      return decodeEnvelope(delivery.data);
    } catch (error) {
      params.onMalformed(delivery, error);
      return undefined;
    }
  };

  const hold = (delivery: Delivery, job: JobEnvelope, since: Instant): Held => {
    const later = orderOf(job, PHASES.queued) > FIRST;
    const isOwn = later && own.take(delivery.seq, job.id);
    const inDoubt = suspect(delivery, job, isOwn);
    const traced = delivery.deliveryCount > 1 || delivery.repeat || (later && (!isOwn || inDoubt));
    const held = new Held({ job, delivery, since, suspect: inDoubt, traced });
    jobs.add(held);
    return held;
  };

  const route = (held: Held): void => {
    if (cancelled.has(held.job.id)) {
      const reason = { code: 'cancelled', text: 'cancelled before it began' };
      track(held, finish(held, settle.end(held, 'cancelled', reason)));
    } else if (held.suspect) {
      doubt(held);
    } else {
      const parking = start(held);
      if (parking !== undefined) track(held, parking);
    }
  };

  const take = (delivery: Delivery, at: Instant): Held | undefined => {
    const job = read(delivery);
    if (!job) return undefined;
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
    const held = hold(delivery, job, at);
    route(held);
    return held;
  };
  return { take, doubt };
}

/** The order of a job that nobody has touched; anything above may have left something behind. */
const FIRST = orderOf({ attempt: 1, run: 1, parks: 0 }, PHASES.queued);
