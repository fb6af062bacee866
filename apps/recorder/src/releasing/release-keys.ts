import { concurrencyHash } from '@jetbeat/core';
import { handOver, queueMoves } from '@jetbeat/jetstream';
import { databaseTime, type ParkedJob, parkedForKeys } from '@jetbeat/postgres';
import { type GoRoundParams, goRound, isLost, type Round, roundAfter } from './go-round.ts';
import { knownLimits } from './known-limits.ts';
import type { PassedOver } from './passed-over.ts';
import { putBack, rebuild } from './release.ts';

/**
 * Workers give the slots of a key on by themselves. This stands behind them: for keys whose last worker has died, and for
 * parked jobs that JetStream has lost.
 * One pass after the other goes round all keys.
 * @param params.passed what the passes before have passed over
 */
export async function releaseKeys(
  params: GoRoundParams & { readonly passed?: PassedOver },
  after: string,
): Promise<Round> {
  const { db, bus, events, leases, passed, waitedMs, limit, onError } = params;
  const now = await databaseTime(db);
  const jobs = await parkedForKeys(db, { before: now - waitedMs, limit, after });
  if (jobs.length === 0) return { released: 0, after: '' };
  const { keyed, paused } = await knownLimits(db, params.settings);
  const moves = (queue: string) => queueMoves(bus, queue);
  const isPaused = (queue: string) => paused.has(queue);
  const how = { bus, events, now: Date.now, leases, look: true, keyed, isPaused, moves };
  const keys = { jobs, nameOf: ({ key }: (typeof jobs)[number]) => key, onError };
  const released = await goRound(keys, async ({ key }) => {
    const hash = concurrencyHash(key);
    const before = passed?.of(hash);
    const handed = await handOver({ ...how, hash, passed: before?.known });
    before?.note(handed.passed);
    return handed.jobs;
  });
  const lost: ParkedJob[] = [];
  await goRound(keys, async (job) => {
    if (await isLost(bus, job)) lost.push(job);
    return 0;
  });
  let back = 0;
  try {
    if (lost.length > 0) back = await putBack({ bus, events, now }, await rebuild(params, lost));
  } catch (error) {
    onError(error, lost.map(({ key }) => key).join(', '));
  }
  return { released: released + back, after: roundAfter(jobs, limit, keys.nameOf) };
}
