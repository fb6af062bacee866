import { concurrencyHash, type JobEnvelope, type ParkedFor } from '@jetbeat/core';
import { type Bus, type EventPublisher, type ParkedWhat, parkJob } from '@jetbeat/jetstream';
import type { Held } from '../held.ts';
import { untilDone } from './until-done.ts';

/** Puts a job that may not start now where no consumer reads, so that nothing waits by nak loops. */
export type Park = (held: Held, what: ParkFor) => Promise<void>;

/** What it waits for. */
type ParkFor =
  | Exclude<ParkedWhat, { what: 'key' | 'rate' }>
  | Extract<ParkedFor, { what: 'key' }>
  | (Extract<ParkedFor, { what: 'rate' }> & { readonly hash: string });

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
    const place = placeOf(what);
    await untilDone({
      act: () => parkJob(bus, { envelope, what: place, arrival: held.arrival, ...held.carried }),
      signal: stopped,
      onRetry: (error) => onRetry(error, 'park the job'),
    });
    await events.publish({ kind: 'parked', ...held.facts(envelope), ...reasonOf(what), at: now() });
    for (const delivery of held.deliveries) delivery.ack();
  };
}

function placeOf(what: ParkFor): ParkedWhat {
  if (what.what === 'key') return { what: 'key', hash: concurrencyHash(what.key) };
  return what.what === 'rate' ? { what: 'rate', hash: what.hash } : what;
}

function reasonOf(what: ParkFor): ParkedFor {
  if (what.what === 'task') return { what: 'task' };
  if (what.what !== 'rate') return what;
  const { hash: _place, ...why } = what;
  return why;
}
