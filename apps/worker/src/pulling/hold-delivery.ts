import { type Delivered, isFresh, isSuspect, type JobEnvelope, orderOf, PHASES } from '@jetbeat/core';
import type { Delivery } from '@jetbeat/jetstream';
import type { Instant, OwnRetries } from '../ends/own-retries.ts';
import { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';
import type { Limits } from '../limits/limits.ts';

/** The order of a job that nobody has touched; anything above may have left something behind. */
const FIRST = orderOf({ attempt: 1, run: 1, parks: 0 }, PHASES.queued);

/** What tells whether a message may be trusted. */
export interface HoldParams {
  readonly ackWaitMs: number;
  readonly held: HeldJobs;
  readonly own: OwnRetries;
  readonly limits: Pick<Limits, 'proves'>;
  /** Highest sequence of a queue that may have been settled before this worker saw it. */
  readonly settledUpTo: (queue: string) => number;
  /** How long ago a server came back that can have forgotten what it had done, milliseconds; infinite when none has. */
  readonly restartedFor: () => number;
}

/** Composes what holds the job of a delivery, and says how far the message may be trusted. */
export function createHold(
  params: HoldParams,
): (delivery: Delivery, job: JobEnvelope, since: Instant) => Held {
  const { held: jobs, own, limits } = params;
  const seen = (delivery: Delivery, job: JobEnvelope, own: boolean): Delivered => ({
    deliveryCount: delivery.deliveryCount,
    attempt: job.attempt,
    run: job.run,
    parks: job.parks,
    own,
    repeat: delivery.repeat,
    seq: delivery.seq,
    settledUpTo: params.settledUpTo(job.queue),
    fromTimer: delivery.fromTimer,
    restartedFor: params.restartedFor(),
    ackWait: params.ackWaitMs,
  });
  return (delivery, job, since) => {
    const later = orderOf(job, PHASES.queued) > FIRST;
    const isOwn = later && own.take(delivery.seq, job.id);
    const mustProve = job.parks > 0 && limits.proves(job);
    const message = seen(delivery, job, isOwn);
    // Of a job with a key or a rate its slot says whether it was released once; else it is asked about then.
    const inDoubt = isSuspect(mustProve ? { ...message, parks: 0 } : message);
    const traced = delivery.deliveryCount > 1 || delivery.repeat || (later && (!isOwn || inDoubt));
    const fresh = inDoubt && isFresh(message);
    const held = new Held({ job, delivery, since, suspect: inDoubt, traced, mustProve, isFresh: fresh });
    jobs.add(held);
    return held;
  };
}
