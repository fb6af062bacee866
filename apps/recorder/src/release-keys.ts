import { concurrencyHash } from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  findMessage,
  handOver,
  type LeaseWatch,
  parkedSubject,
} from '@jetbeat/jetstream';
import { type Database, databaseTime, parkedForKeys } from '@jetbeat/postgres';
import { inGroups } from './look-up.ts';
import { putBack, rebuild, whatOf } from './release.ts';

/** What it needs. Times in milliseconds. */
export interface ReleaseKeysParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly leases: LeaseWatch;
  /** How long a job must have been parked. */
  readonly waitedMs: number;
  /** Keys in one pass. */
  readonly limit: number;
  readonly readToEndMs: number;
}

const GROUP = 8;

/**
 * Workers give the slots of a key on by themselves. This stands behind them: for keys whose last worker has died, and for
 * parked jobs that JetStream has lost.
 * @returns how many jobs were put back on their queues
 */
export async function releaseKeys(params: ReleaseKeysParams): Promise<number> {
  const { db, bus, events, leases, waitedMs, limit } = params;
  const now = await databaseTime(db);
  const waiting = await parkedForKeys(db, { before: now - waitedMs, limit });
  const released = await inGroups(waiting, GROUP, async (job) => {
    const hash = concurrencyHash(job.key);
    const { jobs } = await handOver({ bus, events, hash, now: Date.now, leases, look: true });
    return jobs;
  });
  const missing = await inGroups(waiting, GROUP, async (job) => {
    const place = parkedSubject(bus, { queue: job.queue, what: whatOf(job), id: job.id });
    return (await findMessage(bus, { subject: place })) === undefined ? [job] : [];
  });
  const lost = missing.flat();
  const rebuilt = lost.length === 0 ? [] : await rebuild(params, lost);
  return released.reduce((sum, jobs) => sum + jobs, 0) + (await putBack({ bus, events, now }, rebuilt));
}
