import type { JobEnvelope } from '@jetbeat/core';
import { type Bus, type EventPublisher, type ParkedWhat, parkJob } from '@jetbeat/jetstream';
import type { Held } from './held.ts';
import { untilDone } from './until-done.ts';

/** Puts a job that may not start now where no consumer reads, so that nothing waits by nak loops. */
export type Park = (held: Held, what: ParkedWhat) => Promise<void>;

/**
 * The parked message first, then the event, then the acknowledgement: whoever repeats this replaces the parked message
 * of the same subject, so there is one.
 */
export function createPark(params: {
  bus: Bus;
  events: EventPublisher;
  now: () => number;
  stopped: AbortSignal;
  onRetry: (error: unknown, what: string) => void;
}): Park {
  const { bus, events, now, stopped, onRetry } = params;
  return async (held, what) => {
    const envelope: JobEnvelope = { ...held.job, parks: held.job.parks + 1 };
    await untilDone({
      act: () => parkJob(bus, { envelope, what, ...held.carried }),
      signal: stopped,
      onRetry: (error) => onRetry(error, 'park the job'),
    });
    await events.publish({ kind: 'parked', ...held.facts(envelope), what: what.what, at: now() });
    for (const delivery of held.deliveries) delivery.ack();
  };
}
