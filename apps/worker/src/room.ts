import type { EventPublisher } from '@jetbeat/jetstream';
import type { FetchParams } from './fetch.ts';
import type { HeldJobs } from './held.ts';
import type { Pace } from './pace.ts';

/** The most jobs that are held where the concurrency asks for no more, those included whose outcome is on its way: a quarter of what a consumer hands out. */
const MAX_HELD = 5_000;

/** How many more jobs a worker may hold; nothing while events cannot be stored. */
export function createRoom(params: {
  jobs: Pick<HeldJobs, 'size' | 'settling'>;
  events: Pick<EventPublisher, 'full'>;
  ready: { readonly size: number };
  pace: Pick<Pace, 'limit'>;
  concurrency: number;
}): Pick<FetchParams, 'room' | 'isWorth'> {
  const { jobs, events, ready, pace, concurrency } = params;
  const maxHeld = Math.max(MAX_HELD, 2 * concurrency);
  return {
    room: () => (events.full ? 0 : Math.min(pace.limit() - (jobs.size - jobs.settling), maxHeld - jobs.size)),
    isWorth: (room) => room > 0 && (ready.size === 0 || room >= pace.limit() / 4),
  };
}
