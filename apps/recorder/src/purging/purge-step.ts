import { type EndedEvent, factsOf, type JobEnvelope, parseTraceparent, type Reason } from '@jetbeat/core';
import type { Bus, CancelledKeys, EventPublisher, Log } from '@jetbeat/jetstream';
import type { Database, QueuePurge } from '@jetbeat/postgres';
import type { Hearing } from '../answers/hearing.ts';

/** What purging needs. */
export interface PurgeParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly cancelled: CancelledKeys;
  readonly hearing: Pick<Hearing, 'within'>;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** How long history may take to catch up, milliseconds. */
  readonly doubtWaitMs: number;
  /** How long workers may take to say what they hold, milliseconds. */
  readonly heldWaitMs: number;
}

/** A step of one purge. */
export interface PurgeStepParams extends PurgeParams {
  readonly queue: string;
  readonly purge: QueuePurge;
  /** The live workers of the queue. */
  readonly workers: readonly string[];
  /** Where the step begins. */
  readonly from: string;
}

/** What a step did; `next` is absent at the end of its place. */
export interface PurgeStep {
  readonly removed: number;
  readonly next?: string;
  /** Something could not be decided: the same again. */
  readonly again?: boolean;
}

/** How history is told of a job that went with a purge. */
export function purgedEvent(params: {
  envelope: JobEnvelope;
  traceparent: string | undefined;
  seq?: number;
  purge: Pick<QueuePurge, 'by'>;
  now: number;
}): EndedEvent {
  const { envelope, traceparent, seq, purge, now } = params;
  return {
    kind: 'ended',
    ...factsOf(envelope, parseTraceparent(traceparent)?.traceId, seq),
    state: 'cancelled',
    reason: purgedReason(purge.by),
    at: now,
  };
}

function purgedReason(by: string): Reason {
  return { code: 'purged', text: `its queue was purged by ${by}` };
}
