import { concurrencyHash } from '@jetbeat/core';
import { releaseRated } from '@jetbeat/jetstream';
import { databaseTime, parkedForRate, parkedForRates } from '@jetbeat/postgres';
import { inGroups } from '../reconciling/look-up.ts';
import { type GoRoundParams, goRound, isLost, type Round, roundAfter } from './go-round.ts';
import { knownLimits } from './known-limits.ts';
import { putBack, rebuild } from './release.ts';

/** Looked for at the same time, of one rate. */
const LOOK_UPS = 8;
/** Jobs of one rate that are made anew in one pass. */
const MOST_LOST = 200;

/**
 * Workers let the jobs of a rate go by themselves. This stands behind them: where those have died that have parked some, it lets a
 * few go, and whoever gets one of these looks after the rest; and parked jobs that JetStream has lost are made anew.
 * One pass after the other goes round all rates.
 */
export async function releaseRates(params: GoRoundParams, after: string): Promise<Round> {
  const { db, bus, events, leases, waitedMs, limit, onError } = params;
  const now = await databaseTime(db);
  const before = now - waitedMs;
  const jobs = await parkedForRates(db, { before, limit, after });
  if (jobs.length === 0) return { released: 0, after: '' };
  const known = await knownLimits(db, params.settings);
  const rates = { jobs, nameOf: ({ rate }: (typeof jobs)[number]) => rate, onError };
  const released = await goRound(rates, async (job) => {
    const hash = concurrencyHash(job.rate);
    const { jobs: gone } = await releaseRated({ bus, events, leases, hash, now: Date.now, ...known });
    if (gone > 0 || !(await isLost(bus, job))) return gone;
    // Where one was lost, others of its rate were too.
    const parked = await parkedForRate(db, { before, limit: MOST_LOST, rate: job.rate });
    const are = await inGroups(parked, LOOK_UPS, (one) => isLost(bus, one));
    const lost = parked.filter((_, index) => are[index]);
    return await putBack({ bus, events, now }, await rebuild(params, lost));
  });
  return { released, after: roundAfter(jobs, limit, rates.nameOf) };
}
