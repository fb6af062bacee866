import type { EventPublisher } from '@jetbeat/jetstream';
import type { HeldJobs } from '../held-jobs.ts';
import type { FetchParams } from './fetch.ts';
import type { Pace } from './pace.ts';

/** The most jobs that are held where the concurrency asks for no more, those included whose outcome is on its way, or which are being parked: a quarter of what a consumer hands out. */
const MAX_HELD = 5_000;

/** So many that are being parked take no room: where they cannot be stored soon no more are pulled, so that they do not fill the memory. */
const MAX_PARKING = 512;

/** So many times the concurrency may wait for slots of keys, beside those that may run. */
const SPARE = 2;

/**
 * How many jobs may wait for slots of keys that others here have: none of them takes the place of one that may run. Of short
 * jobs all that is held in advance may be such, since it is soon their turn.
 */
export function mostInLine(pace: Pick<Pace, 'limit'>, concurrency: number): number {
  const limit = pace.limit();
  return SPARE * concurrency + (limit > concurrency ? limit : 0);
}

/** How many more jobs a worker may hold; nothing while events cannot be stored. */
export function createRoom(params: {
  jobs: Pick<HeldJobs, 'size' | 'settling' | 'parking'>;
  events: Pick<EventPublisher, 'full'>;
  ready: { readonly size: number };
  pace: Pick<Pace, 'limit'>;
  /** How many wait for a slot that another one has: some of them take nothing away from those that may run. */
  inLine: () => number;
  shape: { readonly concurrency: number };
}): Pick<FetchParams, 'room' | 'isWorth'> {
  const { jobs, events, ready, pace, inLine, shape } = params;
  const room = () => {
    const { concurrency } = shape;
    const maxHeld = Math.max(MAX_HELD, 2 * concurrency);
    const away = jobs.settling + Math.min(jobs.parking, MAX_PARKING);
    const active = jobs.size - away - Math.min(inLine(), SPARE * concurrency);
    return Math.min(pace.limit() - active, maxHeld - jobs.size);
  };
  return {
    room: () => (events.full ? 0 : room()),
    isWorth: (room) => room > 0 && (ready.size === 0 || room >= pace.limit() / 4),
  };
}
