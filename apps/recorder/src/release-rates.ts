import { concurrencyHash, type Settings } from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  findMessage,
  type LeaseWatch,
  parkedSubject,
  releaseRated,
} from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  type ParkedJob,
  parkedForRate,
  parkedForRates,
} from '@jetbeat/postgres';
import { knownLimits } from './known-limits.ts';
import { inGroups } from './look-up.ts';
import { putBack, rebuild, whatOf } from './release.ts';
import type { KeysPass } from './release-keys.ts';

/** What it needs. Times in milliseconds. */
export interface ReleaseRatesParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly leases: LeaseWatch;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  /** How long a job must have been parked. */
  readonly waitedMs: number;
  /** Rates in one pass. */
  readonly limit: number;
  readonly readToEndMs: number;
  /** A rate that could not be looked after; the others are. */
  readonly onError: (error: unknown, rate: string) => void;
}

const GROUP = 8;
/** Jobs of one rate that are made anew in one pass. */
const MOST_LOST = 200;

/**
 * Workers let the jobs of a rate go by themselves. This stands behind them: where those have died that have parked some, it lets a
 * few go, and whoever gets one of these looks after the rest; and parked jobs that JetStream has lost are made anew.
 * One pass after the other goes round all rates.
 */
export async function releaseRates(params: ReleaseRatesParams, after: string): Promise<KeysPass> {
  const { db, bus, events, leases, waitedMs, limit, onError } = params;
  const now = await databaseTime(db);
  const waiting = await parkedForRates(db, { before: now - waitedMs, limit, after });
  if (waiting.length === 0) return { released: 0, after: '' };
  const known = await knownLimits(db, params.settings);
  const before = now - waitedMs;
  const passes = await inGroups(waiting, GROUP, async (job) => {
    try {
      const hash = concurrencyHash(job.rate);
      const { jobs } = await releaseRated({ bus, events, leases, hash, now: Date.now, ...known });
      if (jobs > 0 || !(await isLost(bus, job))) return jobs;
      // Where one was lost, others of its rate were too.
      const parked = await parkedForRate(db, { before, limit: MOST_LOST, rate: job.rate });
      const are = await inGroups(parked, GROUP, (one) => isLost(bus, one));
      const lost = parked.filter((_, index) => are[index]);
      return await putBack({ bus, events, now }, await rebuild(params, lost));
    } catch (error) {
      // The next pass goes on behind this rate all the same, and comes round to it again.
      onError(error, job.rate);
      return 0;
    }
  });
  return {
    released: passes.reduce((sum, jobs) => sum + jobs, 0),
    after: waiting.length < limit ? '' : (waiting.at(-1)?.rate ?? ''),
  };
}

async function isLost(bus: Bus, job: ParkedJob): Promise<boolean> {
  const subject = parkedSubject(bus, { queue: job.queue, what: whatOf(job), id: job.id });
  return (await findMessage(bus, { subject })) === undefined;
}
