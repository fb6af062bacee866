import { concurrencyHash, type Settings } from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  findMessage,
  handOver,
  type LeaseWatch,
  parkedSubject,
} from '@jetbeat/jetstream';
import { type Database, databaseTime, parkedForKeys } from '@jetbeat/postgres';
import { knownLimits } from './known-limits.ts';
import { inGroups } from './look-up.ts';
import { putBack, rebuild, whatOf } from './release.ts';

/** What it needs. Times in milliseconds. */
export interface ReleaseKeysParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly leases: LeaseWatch;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  /** How long a job must have been parked. */
  readonly waitedMs: number;
  /** Keys in one pass. */
  readonly limit: number;
  readonly readToEndMs: number;
  /** A key that could not be looked after; the others are. */
  readonly onError: (error: unknown, key: string) => void;
}

/** Where the next pass goes on: behind this key; `''` is the beginning. */
export interface KeysPass {
  /** How many jobs were put back on their queues. */
  readonly released: number;
  readonly after: string;
}

const GROUP = 8;

/**
 * Workers give the slots of a key on by themselves. This stands behind them: for keys whose last worker has died, and for
 * parked jobs that JetStream has lost.
 * One pass after the other goes round all keys.
 */
export async function releaseKeys(params: ReleaseKeysParams, after: string): Promise<KeysPass> {
  const { db, bus, events, leases, waitedMs, limit, onError } = params;
  const now = await databaseTime(db);
  const waiting = await parkedForKeys(db, { before: now - waitedMs, limit, after });
  if (waiting.length === 0) return { released: 0, after: '' };
  const { keyed } = await knownLimits(db, params.settings);
  const released = await inGroups(waiting, GROUP, async (job) => {
    const hash = concurrencyHash(job.key);
    try {
      const { jobs } = await handOver({ bus, events, hash, now: Date.now, leases, look: true, keyed });
      return jobs;
    } catch (error) {
      onError(error, job.key);
      return 0;
    }
  });
  const missing = await inGroups(waiting, GROUP, async (job) => {
    try {
      const place = parkedSubject(bus, { queue: job.queue, what: whatOf(job), id: job.id });
      return (await findMessage(bus, { subject: place })) === undefined ? [job] : [];
    } catch (error) {
      onError(error, job.key);
      return [];
    }
  });
  const lost = missing.flat();
  let back = 0;
  try {
    const rebuilt = lost.length === 0 ? [] : await rebuild(params, lost);
    back = await putBack({ bus, events, now }, rebuilt);
  } catch (error) {
    // The next pass goes on behind these keys all the same, and comes round to them again.
    onError(error, lost.map(({ key }) => key).join(', '));
  }
  return {
    released: released.reduce((sum, jobs) => sum + jobs, back),
    after: waiting.length < limit ? '' : (waiting.at(-1)?.key ?? ''),
  };
}
