import type { Bus, EventPublisher } from '@jetbeat/jetstream';
import type { Check } from '@jetbeat/runtime';
import type { Fetch } from './fetch.ts';
import type { HeldJobs } from './held.ts';

/** How long pulls may show no sign while nothing is held, in milliseconds. */
const STALE_MS = 15_000;

/** Whether the worker gets on: NATS is there, pulls come back, events can be stored. */
export function readiness(params: {
  bus: Pick<Bus, 'connected'>;
  events: Pick<EventPublisher, 'full' | 'queued'>;
  jobs: Pick<HeldJobs, 'size'>;
  fetch: Pick<Fetch, 'lastProgress'>;
  now: () => number;
}): Check[] {
  const { bus, events, jobs, fetch, now } = params;
  return [
    { name: 'nats', ok: bus.connected },
    {
      name: 'pulls',
      ok: jobs.size > 0 || now() - fetch.lastProgress < STALE_MS,
      lastProgressAt: fetch.lastProgress,
    },
    { name: 'events', ok: !events.full, detail: `${events.queued} waiting to be stored` },
  ];
}
