import type { Bus, EventPublisher } from '@jetbeat/jetstream';
import type { Check } from '@jetbeat/runtime';
import type { Fetch } from './fetch.ts';
import type { HeldJobs } from './held.ts';
import type { Measures } from './measures.ts';

/** How long pulls may show no sign while nothing is held, in milliseconds. */
const STALE_MS = 15_000;

/** Whether the worker gets on: NATS is there, pulls come back, events can be stored, and it is not full of handlers that nobody can end. */
export function readiness(params: {
  bus: Pick<Bus, 'connected'>;
  events: Pick<EventPublisher, 'full' | 'queued'>;
  jobs: Pick<HeldJobs, 'size'>;
  fetch: Pick<Fetch, 'lastProgress'>;
  measures: Pick<Measures, 'abandoned'>;
  shape: { readonly concurrency: number; readonly draining: boolean };
  now: () => number;
}): Check[] {
  const { bus, events, jobs, fetch, measures, shape, now } = params;
  return [
    { name: 'nats', ok: bus.connected },
    {
      name: 'pulls',
      ok: shape.draining || jobs.size > 0 || now() - fetch.lastProgress < STALE_MS,
      lastProgressAt: fetch.lastProgress,
    },
    {
      name: 'handlers',
      // They hold no slot, but memory, connections and time of the event loop: only a restart ends them.
      ok: measures.abandoned < shape.concurrency,
      detail: `${measures.abandoned} run on past their hard limit`,
    },
    { name: 'events', ok: !events.full, detail: `${events.queued} waiting to be stored` },
  ];
}
