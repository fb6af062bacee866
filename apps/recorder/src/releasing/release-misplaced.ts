import {
  type Bus,
  type EventPublisher,
  findParked,
  type Log,
  type TellWithin,
  tellWithin,
} from '@jetbeat/jetstream';
import { type Database, databaseTime, type ParkedJob } from '@jetbeat/postgres';
import { type Freed, freedOf, putBack } from './release.ts';

/** A job whose message lies in a parking place, although history does not know it as parked. */
export type Misplaced = Pick<ParkedJob, 'id' | 'queue' | 'traceId'>;

/**
 * Puts back what lies in a parking place although history does not know it as parked: whoever parked it knew less of the
 * job than history (an earlier run), or ended before it could tell. The doubt that meets it says what is right. History is told before the
 * place is cleared, so it is bounded: while EVENTS hangs they stay where they are.
 */
export function createReleaseMisplaced(params: {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly log: Log;
  /** As for `tellWithin`. */
  readonly boundMs?: number;
}): TellWithin<Misplaced> {
  const { db, bus, events, log, boundMs } = params;
  return tellWithin({
    async tell(jobs) {
      const freed: Freed[] = [];
      for (const job of jobs) {
        const { queue, id } = job;
        for (let from = 1; ; ) {
          const stored = await findParked(bus, { queue, id, from });
          if (!stored) break;
          const one = freedOf(job, stored);
          if (one) freed.push(one);
          from = stored.seq + 1;
        }
      }
      await putBack({ bus, events, now: await databaseTime(db) }, freed);
    },
    ...(boundMs === undefined ? {} : { boundMs }),
    log,
    otherwise: 'jobs in parking places that history does not know are put back later',
  });
}
