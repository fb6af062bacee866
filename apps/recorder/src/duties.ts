import type { CancelledKeys, TellWithin } from '@jetbeat/jetstream';
import { buildMissing } from '@jetbeat/postgres';
import { type EveryParams, every, type Loop } from '@jetbeat/runtime';
import { type CarryOutProgress, carryOutCancels } from './cancels/carry-out-cancels.ts';
import { type ClearProgress, clearCancelled } from './cancels/clear-cancelled.ts';
import type { Follow } from './following/follow.ts';
import { forgetUnmade } from './following/forget-unmade.ts';
import { partition } from './partition.ts';
import type { Progress } from './progress.ts';
import { purge } from './purging/purge.ts';
import { expire } from './reconciling/expire.ts';
import { createGiveUp } from './reconciling/give-up.ts';
import { reconcile } from './reconciling/reconcile.ts';
import type { KeyWatch } from './reconciling/review-keys.ts';
import type { Sweep } from './reconciling/sweep.ts';
import type { Publish } from './reconciling/trace-republish.ts';
import type { StreamWatch } from './reconciling/watch-stream.ts';
import type { SettledMarks } from './recording/settled-marks.ts';
import { createReleaseLoops, type ReleasingParams } from './releasing/release-loops.ts';
import { createReleaseMisplaced } from './releasing/release-misplaced.ts';
import type { Gauge } from './telling/gauge.ts';
import type { QueueRates } from './telling/queue-rates.ts';
import { tellQueues } from './telling/tell-queues.ts';
import { tellTasks } from './telling/tell-tasks.ts';
import { createSequenceClock, trim } from './trim.ts';

/** What the recorder's repeated duties need together. */
export interface DutiesParams extends ReleasingParams {
  /** Publishes jobs that are missing. */
  readonly publish: Publish;
  readonly tell: TellWithin;
  /** Makes streams and consumers that are missing. */
  readonly topology: () => Promise<void>;
  readonly cancelled: CancelledKeys;
  readonly marks: SettledMarks;
  readonly progress: Progress;
  readonly gauge: Gauge;
  readonly streamWatch: StreamWatch;
  readonly sweep: Sweep;
  readonly keys: KeyWatch;
  readonly follow: Follow;
  readonly rates: QueueRates;
  /** Unix milliseconds. */
  readonly clock: () => number;
}

/** The loops of the recorder, by duty. */
export interface Duties {
  readonly release: Loop;
  readonly trim: Loop;
  readonly queues: Loop;
  start(): void;
  stop(): Promise<void>;
}

const RECONCILE_LIMIT = 500;
const CANCELS_LIMIT = 200;
const CLEAR_LIMIT = 200;
const EXPIRE_LIMIT = 500;
/** Ended jobs in one pass, each with what follows it. */
export const FOLLOW_LIMIT = 200;
/** Between two steps of trimming, for the publishers, in milliseconds. */
const TRIM_PAUSE_MS = 50;
/** Between two pages of unique keys, in milliseconds. */
const KEYS_PAUSE_MS = 50;
/** How long indexes of a large history may take to build, and how soon it is looked again whether somebody builds them, in milliseconds. */
const BUILD_MS = 24 * 3_600_000;
const BUILD_EVERY_MS = 60_000;
/** Finished keys are no hurry. */
const CLEAR_EVERY_MS = 10_000;
/** How often the sequence that was last at a time is noted, for trimming by age. */
const SEQUENCE_EVERY_MS = 10_000;

/** Puts every pass into its loop. */
export function createDuties(params: DutiesParams): Duties {
  const { bus, db, publish, events, cancelled, marks, hearing, progress, gauge, streamWatch, sweep, rates } =
    params;
  const { log, tell, times, ackWaitMs, clock } = params;
  const { counts } = params.tally;
  const giveUp = createGiveUp({ events, log });
  const releaseMisplaced = createReleaseMisplaced({ db, bus, events, log });
  const carried: CarryOutProgress = { told: new Set() };
  const cleared: ClearProgress = { seen: new Map(), passed: 0 };
  const sequences = createSequenceClock({
    everyMs: Math.min(SEQUENCE_EVERY_MS, times.liveMs / 10),
    keepMs: times.liveMs,
  });
  const loop = (name: string, intervalMs: number, pass: EveryParams['pass']) =>
    every({ name, intervalMs, log, pass });

  const releasing = createReleaseLoops({ ...params, loop });
  const trimLoop = loop('trim', times.trimEveryMs, async () => {
    const { tight } = gauge;
    const trimmed = await trim({ bus, sequences, now: clock(), liveMs: times.liveMs, tight });
    counts.trimmed += trimmed;
    return trimmed > 0 ? TRIM_PAUSE_MS : times.trimEveryMs;
  });
  const queuesLoop = loop('queues', times.queuesEveryMs, async () => {
    const told = await tellQueues({ bus, db });
    if (told.length > 0) log.info({ queues: told }, 'the settings of queues were told again');
    const tasks = await tellTasks({ bus, db });
    if (tasks.length > 0) log.info({ tasks }, 'the limits of tasks were told again');
  });
  const loops = [
    ...releasing.all,
    trimLoop,
    queuesLoop,
    loop('queue-rates', times.ratesEveryMs, () => rates.flush()),
    loop('purge', times.purgeEveryMs, () =>
      purge({ bus, db, events, cancelled, hearing, log, clock, ...times }),
    ),
    loop('expire', times.expireEveryMs, async () => {
      const { looked, expired } = await expire({
        db,
        bus,
        events,
        hearing,
        graceMs: times.expireGraceMs,
        readToEndMs: times.doubtWaitMs,
        heldWaitMs: times.heldWaitMs,
        limit: EXPIRE_LIMIT,
      });
      counts.expired += expired;
      return expired > 0 && looked === EXPIRE_LIMIT ? 0 : times.expireEveryMs;
    }),
    loop('follow', times.followEveryMs, async () => {
      const { looked, made, unmade } = await params.follow.pass();
      counts.followed += made;
      counts.unmade += unmade;
      return looked === FOLLOW_LIMIT ? 0 : times.followEveryMs;
    }),
    loop('gauge', times.gaugeEveryMs, () => gauge.look()),
    loop('reconcile', times.reconcileEveryMs, async () => {
      const done = await reconcile({
        db,
        bus,
        publish,
        events,
        tell,
        giveUp,
        releaseMisplaced,
        cancelled,
        log,
        streamWatch,
        ackWaitMs,
        unpublishedAfterMs: times.unpublishedAfterMs,
        full: gauge.gate === 'refuse',
        limit: RECONCILE_LIMIT,
      });
      counts.reconciled += done.looked;
      counts.republished += done.republished;
    }),
    loop('cancels', times.cancelsEveryMs, async () => {
      const { done, more } = await carryOutCancels({
        db,
        bus,
        events,
        cancelled,
        hearing,
        heldWaitMs: times.heldWaitMs,
        limit: CANCELS_LIMIT,
        afterMs: times.cancelsAfterMs,
        readToEndMs: times.doubtWaitMs,
        progress: carried,
      });
      if (done > 0) log.info({ jobs: done }, 'cancels that nobody had carried out');
      return more ? 0 : times.cancelsEveryMs;
    }),
    loop('clear-cancelled', Math.min(CLEAR_EVERY_MS, ackWaitMs), async () => {
      const keepMs = 2 * ackWaitMs;
      await clearCancelled({ db, bus, cancelled, progress: cleared, keepMs, limit: CLEAR_LIMIT });
    }),
    // An operator may remove what everything else builds on, and no reconnect would tell.
    loop('topology', times.topologyEveryMs, params.topology),
    loop('review-keys', times.keysEveryMs, async () => {
      const { more } = await params.keys.review();
      return more ? KEYS_PAUSE_MS : times.keysEveryMs;
    }),
    loop('reassert-keys', times.keysEveryMs, () => params.keys.reassert()),
    loop('sweep-ended', times.sweepEveryMs, () => sweep.ended()),
    loop('sweep-passed', times.sweepEveryMs, () => sweep.passed()),
    loop('settled', times.settledEveryMs, () => marks.write()),
    every({
      name: 'indexes',
      log,
      intervalMs: times.partitionEveryMs,
      passTimeoutMs: BUILD_MS,
      maxBackoffMs: BUILD_EVERY_MS,
      async pass(signal) {
        const built = await buildMissing(db, { log, signal });
        return built === 'built' ? times.partitionEveryMs : BUILD_EVERY_MS;
      },
    }),
    loop('partition', times.partitionEveryMs, () => partition({ db })),
    loop('unmade', times.partitionEveryMs, () => forgetUnmade({ db })),
    loop('progress', times.progressEveryMs, () => progress.look()),
  ];
  return {
    release: releasing.release,
    trim: trimLoop,
    queues: queuesLoop,
    start() {
      for (const one of loops) one.start();
    },
    async stop() {
      await Promise.all(loops.map((one) => one.stop()));
    },
  };
}
