import { concurrencyHash, type Settings } from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  findMessage,
  type LeaseWatch,
  parkedSubject,
  releaseRated,
} from '@jetbeat/jetstream';
import { type Database, databaseTime, type ParkedJob, parkedForRates } from '@jetbeat/postgres';
import { knownRates } from './known-rates.ts';
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
  const rateOf = await knownRates(db, params.settings);
  const passes = await inGroups(waiting, GROUP, async (job) => {
    try {
      const hash = concurrencyHash(job.rate);
      const { jobs } = await releaseRated({ bus, events, leases, hash, now: Date.now, rateOf });
      return { jobs, lost: jobs === 0 && (await isLost(bus, job)) ? [job] : [] };
    } catch (error) {
      onError(error, job.rate);
      return { jobs: 0, lost: [] };
    }
  });
  const lost = passes.flatMap((one): ParkedJob[] => one.lost);
  const back = lost.length === 0 ? 0 : await putBack({ bus, events, now }, await rebuild(params, lost));
  return {
    released: passes.reduce((sum, { jobs }) => sum + jobs, back),
    after: waiting.length < limit ? '' : (waiting.at(-1)?.rate ?? ''),
  };
}

async function isLost(bus: Bus, job: ParkedJob): Promise<boolean> {
  const subject = parkedSubject(bus, { queue: job.queue, what: whatOf(job), id: job.id });
  return (await findMessage(bus, { subject })) === undefined;
}
