import { type QueueLimits, readSettings } from '@jetbeat/core';
import {
  createEventPublisher,
  lowerSettled,
  openCancelled,
  openEventSource,
  publishJobs,
  putSettings,
  serveResults,
  serveStorage,
  tellPublished,
  tellWithin,
} from '@jetbeat/jetstream';
import { jobEndings, recordChanges, seedQueues, settledMarks } from '@jetbeat/postgres';
import {
  createMetrics,
  measureNats,
  type Running,
  type StartParams,
  startHealthServer,
} from '@jetbeat/runtime';
import { listen } from './answers/hearing.ts';
import { createResults } from './answers/results.ts';
import { serve } from './answers/serve.ts';
import { connect, type RecorderTopology } from './connect.ts';
import { createTally, type RecorderCounts } from './counts.ts';
import { createDuties, FOLLOW_LIMIT } from './duties.ts';
import { createFollow } from './following/follow.ts';
import { createProgress } from './progress.ts';
import { readings } from './readings.ts';
import { createKeyWatch } from './reconciling/review-keys.ts';
import { createSweep } from './reconciling/sweep.ts';
import { type Publish, traceRepublish } from './reconciling/trace-republish.ts';
import { createStreamWatch } from './reconciling/watch-stream.ts';
import { createRecordLoop } from './recording/record-loop.ts';
import { createSettledMarks } from './recording/settled-marks.ts';
import { createTraceRecords } from './recording/trace-records.ts';
import { createFullQueues } from './releasing/full-queues.ts';
import { createPassedOver } from './releasing/passed-over.ts';
import { freesParked, isDoubt } from './releasing/release.ts';
import { createGauge } from './telling/gauge.ts';
import { createQueueNames } from './telling/queue-names.ts';
import { createQueueRates } from './telling/queue-rates.ts';
import { tellQueues } from './telling/tell-queues.ts';
import { DEFAULT_TIMES, type RecorderTimes } from './times.ts';

export type { RecorderTopology } from './connect.ts';
export type { RecorderCounts } from './counts.ts';
export type { RecorderTimes } from './times.ts';

/** What a test may wrap, e.g. to end the process before or after a commit. */
export interface RecorderPorts {
  readonly recordChanges: typeof recordChanges;
}

/** What `start` takes. */
export interface RecorderParams extends StartParams {
  readonly times?: Partial<RecorderTimes>;
  readonly topology?: RecorderTopology;
  readonly ports?: Partial<RecorderPorts>;
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

/** A running recorder. */
export interface Recorder extends Running {
  counts(): Readonly<RecorderCounts>;
  /** Where its health is served. */
  readonly healthUrl: string;
}

/**
 * Messages of EVENTS in one pull, and so in one transaction; one holds up to 256 events. When there is much to catch up, more of
 * the jobs whose beginning and end are both in it become one row change instead of two.
 */
const MAX_BATCHES = 128;
/** Of such a pull; what is made of it in memory is several times that. */
const MAX_BYTES = 8 * 1024 ** 2;
const PULL_WAIT_MS = 1_000;
/** Unique keys that are looked at together. */
const KEYS_LIMIT = 1_000;

/**
 * Starts the recorder: it keeps history up to date with EVENTS, answers doubts, and looks after jobs that are missing,
 * parked or cancelled. Any number of replicas may run.
 * @throws BusUnreachableError, ServerUnfitError, DatabaseUnavailableError
 */
export async function start(params: RecorderParams): Promise<Recorder> {
  const { config, log, tracing, topology = {}, ports = {}, clock = Date.now } = params;
  const { ackWaitMs } = config;
  const times = { ...DEFAULT_TIMES, ...params.times };
  const taskSettings = readSettings(config.settings, config.file);
  const settings = JSON.stringify(config.settings);
  const connected = await connect({ ...params, topology, instrument: tracing?.instrumentPg });
  // Stopped in the reverse order: no new questions and duties first, the connections last.
  const parts: { stop(): Promise<void> }[] = [{ stop: connected.close }];
  const stop = async () => {
    void connected.bus.leave();
    const failed: unknown[] = [];
    for (const part of parts.toReversed()) await part.stop().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw new AggregateError(failed, 'parts of the recorder did not stop');
  };
  try {
    const { bus, db } = connected;
    // For programs without a configuration file.
    await putSettings(bus, settings);
    await seedQueues(db, { queues: initialQueues(config), now: clock() });
    await tellQueues({ bus, db });
    const queueNames = createQueueNames({ db, log });
    const ensure = async () => {
      await connected.topology(await queueNames());
      // A bucket that was made anew is empty.
      await putSettings(bus, settings, { onlyMissing: true });
    };
    const tally = createTally({ log });
    const progress = createProgress({ bus, db, clock });
    const hearing = await listen({ bus, db, ackWaitMs });
    parts.push(hearing);
    const marks = createSettledMarks({ bus });
    const sweep = createSweep({ db, bus, log, succeeded: (ids) => follow.succeeded(ids) });
    const keys = createKeyWatch({
      db,
      bus,
      limit: KEYS_LIMIT,
      events: { publish: (event) => events.publish(event) },
      unknownAfterMs: times.keyUnknownAfterMs,
      readToEndMs: times.doubtWaitMs,
    });
    const passed = createPassedOver(bus);
    const onReplaced = async (lastSeq: number) => {
      marks.forget();
      passed.forget();
      sweep.want();
      keys.want();
      await lowerSettled(bus, lastSeq);
    };
    const streamWatch = createStreamWatch({ db, bus, log, onReplaced });
    // A killed server can forget removals; the end of JOBS need not show it.
    bus.onReconnect(({ serverChanged }) => {
      if (!serverChanged) return;
      sweep.want();
      keys.want();
      duties.queues.poke();
    });
    // First the look, or marks of a lost stream would be taken for this one's.
    await streamWatch.look();
    marks.raise(await settledMarks(db));
    // The server may have been killed, or a finished job been parked in doubt, while no recorder was there to see it.
    sweep.want();
    keys.want();
    const events = createEventPublisher(bus, { log });
    const cancelled = openCancelled(bus, { log });
    parts.push({ stop: () => events.close() }, { stop: () => cancelled.close() });
    await cancelled.load();
    const { limit } = config.storage;
    const gauge = createGauge({
      bus,
      log,
      ...(limit === undefined ? {} : { limit }),
      everyMs: times.gaugeEveryMs,
      onRoomNeeded: () => duties.trim.poke(),
      fullQueues: createFullQueues({ bus, db }),
    });
    const rates = createQueueRates({ db, clock });
    const publish: Publish = (jobs) => publishJobs(bus, jobs);
    const again = tracing ? traceRepublish(tracing, publish) : publish;
    const tell = tellWithin({ tell: (published) => tellPublished(events, published), log });
    const follow = createFollow({
      db,
      publish: again,
      settings: taskSettings,
      rules: config.notifications,
      log,
      tell,
      graceMs: times.followGraceMs,
      limit: FOLLOW_LIMIT,
    });
    const duties = createDuties({
      bus,
      db,
      publish: again,
      follow,
      events,
      tell,
      cancelled,
      marks,
      hearing,
      progress,
      gauge,
      streamWatch,
      sweep,
      keys,
      passed,
      rates,
      settings: taskSettings,
      tally,
      log,
      times,
      ackWaitMs,
      clock,
      topology: ensure,
    });
    const results = createResults({ endings: (ids) => jobEndings(db, ids), log });
    const recording = createRecordLoop({
      db,
      log,
      tally,
      ackWaitMs,
      holdMs: times.holdMs,
      source: openEventSource(bus, {
        maxBatches: MAX_BATCHES,
        maxBytes: MAX_BYTES,
        maxWaitMs: PULL_WAIT_MS,
        log,
      }),
      recordChanges: ports.recordChanges ?? recordChanges,
      records: tracing && createTraceRecords(tracing),
      onRecorded(recorded, settled) {
        progress.gotOn();
        marks.raise(settled);
        rates.count(recorded);
        results.note(recorded);
        if (recorded.some(freesParked)) duties.release.poke();
        if (recorded.some(isDoubt)) sweep.want('parked');
      },
    });
    const { host, healthPort: port } = config;
    const live = () => [{ name: 'process', ok: true }];
    const { metrics = createMetrics({ app: 'recorder' }) } = params;
    metrics.observe(measureNats(bus));
    metrics.observe(() => readings({ tally, progress, gauge }));
    parts.push({ stop: async () => metrics.stop() });
    const health = await startHealthServer({ host, port, live, ready: progress.checks, metrics });
    parts.push(health, recording, duties, serve({ bus, db, events, hearing, follow, times, tally, log }));
    const telling = serveStorage(bus, () => gauge.last, { log });
    const answering = serveResults(bus, (question) => results.ask(question), { log });
    const stopAnswering = async () => {
      results.stop();
      await answering.close();
    };
    parts.push({ stop: () => telling.close() }, { stop: stopAnswering });
    // Whoever asks is answered from the start, and nothing new is published into a store that is full.
    await gauge.look();
    recording.start();
    duties.start();

    let stopping: Promise<void> | undefined;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    return {
      healthUrl: `http://${host}:${health.port}`,
      counts: () => ({ ...tally.counts }),
      ready: () => Promise.race([progress.begun, ended]),
      stop() {
        stopping ??= stop().finally(end);
        return stopping;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Every queue of the configuration, and what it says of it. */
function initialQueues({ queues, queueLimits }: RecorderParams['config']): Map<string, QueueLimits> {
  return new Map(queues.map((queue) => [queue, queueLimits.get(queue) ?? {}]));
}
