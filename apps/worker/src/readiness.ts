import type { Bus, EventPublisher } from '@jetbeat/jetstream';
import type { Check } from '@jetbeat/runtime';
import type { IsolatedRuns } from '@jetbeat/task';
import type { HeldJobs } from './held-jobs.ts';
import type { Measures } from './measures.ts';
import type { Fetch } from './pulling/fetch.ts';
import type { Lingering } from './running/lingering.ts';

/** How long pulls may show no sign while nothing is held, in milliseconds. */
const STALE_MS = 15_000;

/** Whether the worker gets on: NATS is there, pulls come back, events can be stored, children started, and it is not full of handlers that nobody can end. */
export function readiness(params: {
  bus: Pick<Bus, 'connected'>;
  events: Pick<EventPublisher, 'full' | 'queued'>;
  jobs: Pick<HeldJobs, 'size'>;
  fetch: Pick<Fetch, 'lastProgress'>;
  measures: Pick<Measures, 'abandoned'>;
  lingering: Pick<Lingering, 'count'>;
  runs: Pick<IsolatedRuns, 'trouble'>;
  shape: { readonly concurrency: number; readonly draining: boolean };
  now: () => number;
}): Check[] {
  const { bus, events, jobs, fetch, measures, lingering, runs, shape, now } = params;
  return [
    { name: 'nats', ok: bus.connected },
    {
      name: 'pulls',
      ok: shape.draining || jobs.size > 0 || now() - fetch.lastProgress < STALE_MS,
      lastProgressAt: fetch.lastProgress,
    },
    {
      name: 'handlers',
      // They hold no slot here, but memory, connections and time of the event loop; and those that are limited a slot of all workers.
      // Only a restart ends them.
      ok: measures.abandoned < shape.concurrency && lingering.count === 0,
      detail: `${measures.abandoned} run on past their hard limit${
        lingering.count === 0 ? '' : `, ${lingering.count} of them in a slot of a limit`
      }`,
    },
    {
      name: 'children',
      // What waits for one keeps its slot.
      ok: runs.trouble === undefined,
      ...(runs.trouble === undefined ? {} : { detail: `none can be started: ${runs.trouble}` }),
    },
    { name: 'events', ok: !events.full, detail: `${events.queued} waiting to be stored` },
  ];
}
