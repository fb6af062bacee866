import { type Bus, removeParked, removeTimer, type WaitingPlace, waitingJobs } from '@jetbeat/jetstream';
import { type Database, endedJobs } from '@jetbeat/postgres';
import { inGroups } from './look-up.ts';

/** Where a look at all that waits has got to: first the timers, then the parked. */
export interface EndedCursor {
  readonly place: WaitingPlace;
  /** Sequence in JOBS. */
  readonly from: number;
}

/** Where it begins. */
export const FIRST_ENDED: EndedCursor = { place: 'timers', from: 1 };
/** Where the parked begin. */
export const FIRST_PARKED: EndedCursor = { place: 'parked', from: 1 };

/** Removals under way at the same time. */
const GROUP = 16;

/**
 * Looks at one chunk of what waits in JOBS, and removes the timers and parked messages of jobs that are over. Memory holds
 * one chunk, however many wait.
 * @returns how many were removed, and where to go on; `next` is absent at the end
 */
export async function removeEnded(params: {
  readonly db: Database;
  readonly bus: Bus;
  readonly cursor: EndedCursor;
  /** Last sequence that is looked at: what was stored after it was stored by a whole server. */
  readonly upTo: number;
  /** Makes up for what follows these jobs, which are over, before nothing speaks of them any more. */
  readonly succeeded: (ids: readonly string[]) => Promise<void>;
}): Promise<{ readonly removed: number; readonly next: EndedCursor | undefined }> {
  const { db, bus, cursor, upTo } = params;
  const { place } = cursor;
  const page = await waitingJobs(bus, { ...cursor, upTo });
  const ended = await endedJobs(db, [...new Set(page.ids)]);
  await params.succeeded(ended);
  const counts = await inGroups(ended, GROUP, (id) =>
    place === 'timers' ? removeTimer(bus, id) : removeParked(bus, { id }),
  );
  return {
    removed: counts.reduce((sum, count) => sum + count, 0),
    next: page.next === undefined ? after(place) : { place, from: page.next },
  };
}

function after(place: WaitingPlace): EndedCursor | undefined {
  return place === 'timers' ? FIRST_PARKED : undefined;
}
