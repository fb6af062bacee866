import type { Settings } from '@jetbeat/core';
import { type Bus, createLeaseWatch, type EventPublisher, leaseTtlMs } from '@jetbeat/jetstream';
import type { Database } from '@jetbeat/postgres';
import type { EveryParams, Log, Loop } from '@jetbeat/runtime';
import type { Hearing } from '../answers/hearing.ts';
import type { Tally } from '../counts.ts';
import type { RecorderTimes } from '../times.ts';
import type { GoRoundParams, Round } from './go-round.ts';
import type { PassedOver } from './passed-over.ts';
import { release } from './release.ts';
import { releaseKeys } from './release-keys.ts';
import { releaseRates } from './release-rates.ts';

/** What releasing needs. */
export interface ReleasingParams {
  readonly bus: Bus;
  readonly db: Database;
  readonly events: EventPublisher;
  readonly hearing: Hearing;
  /** Of jobs that are parked for keys. */
  readonly passed: PassedOver;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  readonly tally: Tally;
  readonly log: Log;
  readonly times: RecorderTimes;
  readonly ackWaitMs: number;
}

/** The loops that put parked jobs back. */
export interface ReleaseLoops {
  /** Of those that wait for a task, or for an answer to their doubt. */
  readonly release: Loop;
  readonly all: readonly Loop[];
}

/** Jobs in one pass. */
const LIMIT = 500;

/** Composes them. */
export function createReleaseLoops(
  params: ReleasingParams & {
    readonly loop: (name: string, intervalMs: number, pass: EveryParams['pass']) => Loop;
  },
): ReleaseLoops {
  const { bus, db, events, hearing, passed, settings, log, times, loop } = params;
  const { counts } = params.tally;
  const leases = createLeaseWatch(bus, { ttlMs: leaseTtlMs(params.ackWaitMs) });
  const within = { db, bus, events, limit: LIMIT, readToEndMs: times.doubtWaitMs };
  const parked = loop('release', times.releaseEveryMs, async () => {
    const released = await release({ ...within, within: hearing.within() });
    counts.released += released;
    return released < LIMIT ? times.releaseEveryMs : 0;
  });
  /** Goes round keys or rates: every pass goes on behind the last one of the pass before. */
  const goRound = (
    what: string,
    pass: (shared: Omit<GoRoundParams, 'onError'>, after: string) => Promise<Round>,
  ) => {
    let after = '';
    return loop(`release-${what}`, times.keySlotsEveryMs, async () => {
      const round = await pass({ ...within, leases, settings, waitedMs: times.keySlotsEveryMs }, after);
      after = round.after;
      counts.released += round.released;
    });
  };
  const keys = goRound('keys', (shared, after) => {
    const onError: GoRoundParams['onError'] = (err, key) =>
      log.warn({ err, key }, 'the parked jobs of a key could not be released');
    return releaseKeys({ ...shared, passed, onError }, after);
  });
  const rates = goRound('rates', (shared, after) => {
    const onError: GoRoundParams['onError'] = (err, rate) =>
      log.warn({ err, rate }, 'the parked jobs of a rate could not be let go');
    return releaseRates({ ...shared, onError }, after);
  });
  return { release: parked, all: [parked, keys, rates] };
}
