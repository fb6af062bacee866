import { type Bus, jobsStreamState, type Log, purgePassed } from '@jetbeat/jetstream';
import type { Database } from '@jetbeat/postgres';
import { type EndedCursor, FIRST_ENDED, FIRST_PARKED, removeEnded } from './remove-ended.ts';

/** Clears away what a harmed store brings back. */
export interface Sweep {
  /** JOBS may hold messages again that were done with; or only `parked` may hold some of jobs that are over. */
  want(what?: 'all' | 'parked'): void;
  /** While it is wanted: one chunk of what waits though its job is over. Returns 0 when there is more to look at. */
  ended(): Promise<number | undefined>;
  /** While it is wanted: what the consumers are past. */
  passed(): Promise<void>;
}

/** A way through what waits. */
interface Way {
  cursor: EndedCursor;
  /** JOBS ended here when it began. */
  upTo?: number;
}

/**
 * Makes the sweep. A store that lost its end has lost removals too, so JOBS holds again what was removed: messages that
 * their consumers are past and will never hand out, and timers and parked messages of jobs that are over. Those of open jobs
 * are met with a doubt. The two halves do not wait for each other, and fail alone.
 */
export function createSweep(params: {
  readonly db: Database;
  readonly bus: Bus;
  readonly log: Log;
  /** A worker that died between the outcome and the callbacks of a job may have left no more than a message that is removed here. */
  readonly succeeded: (ids: readonly string[]) => Promise<void>;
}): Sweep {
  const { db, bus, log, succeeded } = params;
  let way: Way | undefined;
  /** Wanted again while the way is gone; it is gone to its end first, or many wishes would keep it from ever getting there. */
  let again: EndedCursor | undefined;
  /** How often all was wanted: a store that is harmed again in the middle of a purge is purged again. */
  let wishes = 0;
  let purged = 0;
  /** Where JOBS ended when the purge of this wish began. */
  let purging = { wish: 0, upTo: 0 };

  const end = async () => (await jobsStreamState(bus)).lastSeq;
  const tell = (removed: number) => {
    if (removed > 0) log.warn({ removed }, 'JOBS held messages again that were done with; they are removed');
  };
  return {
    want(what = 'all') {
      const cursor = what === 'all' || again === FIRST_ENDED ? FIRST_ENDED : FIRST_PARKED;
      if (way) again = cursor;
      else way = { cursor };
      if (what === 'all') wishes++;
    },
    async ended() {
      if (!way) return undefined;
      way.upTo ??= await end();
      const { removed, next } = await removeEnded({ db, bus, cursor: way.cursor, upTo: way.upTo, succeeded });
      tell(removed);
      if (next) way.cursor = next;
      else {
        way = again && { cursor: again };
        again = undefined;
      }
      return way && 0;
    },
    async passed() {
      if (purged === wishes) return;
      const wish = wishes;
      if (purging.wish !== wish) purging = { wish, upTo: await end() };
      const { removed, done } = await purgePassed(bus, purging);
      tell(removed);
      if (done) purged = wish;
    },
  };
}
