import {
  type Bus,
  jobsStreamState,
  type Log,
  purgePassed,
  removeParked,
  removeTimer,
  waitingJobs,
} from '@jetbeat/jetstream';
import { type Database, endedJobs } from '@jetbeat/postgres';
import { inGroups } from './look-up.ts';

/** Clears away what a harmed store brings back. */
export interface Sweep {
  /** JOBS may hold messages again that were done with. */
  want(): void;
  /** Sweeps while it is wanted. */
  pass(): Promise<void>;
}

/** Ids in one question to PostgreSQL. */
const CHUNK = 1_000;
/** Removals under way at the same time. */
const GROUP = 16;

/**
 * Makes the sweep. A store that lost its end has lost removals too, so JOBS holds again what was removed: messages that
 * their consumers are past and will never hand out, and timers and parked messages of jobs that are over. Those of open jobs
 * are met with a doubt.
 */
export function createSweep(params: { readonly db: Database; readonly bus: Bus; readonly log: Log }): Sweep {
  const { db, bus, log } = params;
  let wanted = false;
  /** How often it was wanted: a store that is harmed again in the middle of a pass is swept again. */
  let wishes = 0;
  /** JOBS ended here when the sweep began; undefined before that. */
  let upTo: number | undefined;
  return {
    want() {
      wanted = true;
      wishes++;
      upTo = undefined;
    },
    async pass() {
      if (!wanted) return;
      const wish = wishes;
      let removed = 0;
      if (upTo === undefined) {
        const { lastSeq } = await jobsStreamState(bus);
        removed += await removeEnded(db, bus);
        if (wish !== wishes) return;
        upTo = lastSeq;
      }
      const purged = await purgePassed(bus, { upTo });
      removed += purged.removed;
      if (purged.done && wish === wishes) wanted = false;
      if (removed > 0)
        log.warn({ removed }, 'JOBS held messages again that were done with; they are removed');
    },
  };
}

async function removeEnded(db: Database, bus: Bus): Promise<number> {
  const ids = [...new Set(await waitingJobs(bus))];
  let removed = 0;
  for (let at = 0; at < ids.length; at += CHUNK) {
    const ended = await endedJobs(db, ids.slice(at, at + CHUNK));
    const counts = await inGroups(ended, GROUP, async (id) => {
      const timers = await removeTimer(bus, id);
      return timers + (await removeParked(bus, { id }));
    });
    removed += counts.reduce((sum, count) => sum + count, 0);
  }
  return removed;
}
