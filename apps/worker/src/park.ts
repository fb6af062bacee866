import { concurrencyHash, type JobEnvelope, type ParkedFor } from '@jetbeat/core';
import { type Bus, type EventPublisher, type ParkedWhat, parkJob } from '@jetbeat/jetstream';
import type { Held } from './held.ts';
import { untilDone } from './until-done.ts';

/** Puts a job that may not start now where no consumer reads, so that nothing waits by nak loops. */
export type Park = (held: Held, what: ParkFor) => Promise<void>;

/** What it waits for. */
type ParkFor = Exclude<ParkedWhat, { what: 'key' }> | Extract<ParkedFor, { what: 'key' }>;

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
    const place: ParkedWhat = what.what === 'key' ? { what: 'key', hash: concurrencyHash(what.key) } : what;
    await untilDone({
      act: () => parkJob(bus, { envelope, what: place, ...held.carried }),
      signal: stopped,
      onRetry: (error) => onRetry(error, 'park the job'),
    });
    const why: ParkedFor = what.what === 'task' ? { what: 'task' } : what;
    await events.publish({ kind: 'parked', ...held.facts(envelope), ...why, at: now() });
    for (const delivery of held.deliveries) delivery.ack();
  };
}
