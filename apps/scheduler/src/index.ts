import { randomUUID } from 'node:crypto';
import { readSettings } from '@jetbeat/core';
import {
  createEventPublisher,
  createPublisher,
  eventsState,
  type JobToPublish,
  publishJobs,
  tellPublished,
  watchStorage,
} from '@jetbeat/jetstream';
import { dispatchPass, look, materializePass, notePublished, noteZones } from '@jetbeat/postgres';
import {
  type Check,
  createMetrics,
  every,
  measureNats,
  type Running,
  type StartParams,
  startHealthServer,
} from '@jetbeat/runtime';
import { connect, type SchedulerTopology } from './connect.ts';
import { createDuties } from './duties.ts';
import { createHold } from './hold.ts';
import { createMeasures } from './measures.ts';
import { createNotes } from './notes.ts';
import { createPass, type PassPorts, POLL_MS } from './pass.ts';
import { takeKeysFirst } from './take-keys.ts';
import { createTraceFires } from './trace-fires.ts';

export type { SchedulerTopology } from './connect.ts';
export { createPass, type PassParams, type PassPorts } from './pass.ts';

/** What `start` takes. */
export interface SchedulerParams extends StartParams {
  readonly topology?: SchedulerTopology;
  /** The arrow between commit and publish; a test may wrap it. */
  readonly publish?: typeof publishJobs;
  /** What a pass asks of PostgreSQL; a test may wrap it. */
  readonly ports?: Partial<PassPorts>;
  /** This machine's clock, Unix milliseconds. */
  readonly clock?: () => number;
}

/** A running scheduler. */
export interface Scheduler extends Running {
  /** Where its health is served. */
  readonly healthUrl: string;
  /** What it does now, as `/readyz` says it. */
  checks(): Check[];
}

/** Without a successful pass for so long, it is not ready. */
const STALLED_MS = 5_000;
const PASS_TIMEOUT_MS = 30_000;
const MAX_BACKOFF_MS = 2_000;
const STOP_PUBLISHING_MS = 5_000;
const NOTE_DELAY_MS = 1_000;

/**
 * Starts the scheduler: it turns schedules into occurrences and those into jobs, on time. Any number of replicas may run.
 * @throws BusUnreachableError, ServerUnfitError, DatabaseUnavailableError
 */
export async function start(params: SchedulerParams): Promise<Scheduler> {
  const { config, log, tracing, topology = {}, publish = publishJobs, clock = Date.now } = params;
  const settings = readSettings(config.settings, config.file);
  const { bus, db, close } = await connect({ ...params, topology, instrument: tracing?.instrumentPg });
  const fires = tracing && createTraceFires(tracing);
  const measures = createMeasures({ clock });
  const publishNow = async (jobs: readonly JobToPublish[]) => {
    const results = await publish(bus, jobs);
    measures.published(jobs, results);
    return results;
  };
  const notes = createNotes({ note: (rows) => notePublished(db, rows), delayMs: NOTE_DELAY_MS, log });
  const events = createEventPublisher(bus, { log });
  const publisher = createPublisher({
    publish: takeKeysFirst({
      bus,
      db,
      log,
      clock,
      events,
      publish: fires ? fires.traced(publishNow) : publishNow,
    }),
    tell: (published) => tellPublished(events, published),
    notePublished: notes.add,
    isConnected: () => bus.connected,
    log,
    clock,
  });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const eventsMarks = async () => eventsState(bus);
  const storage = watchStorage(bus);
  const hold = createHold({ storage, log });
  const duties = createDuties({ db, bus, log, keep: config.retention });
  const pass = createPass({
    db,
    eventsMarks,
    publisher,
    hold,
    settings,
    fires,
    log,
    clock,
    id: randomUUID(),
    ports: { look, materializePass, dispatchPass, ...params.ports },
    cancel: duties.cancel,
  });
  let zonesNoted = false;
  const noteZonesOnce = async () => {
    if (zonesNoted) return;
    const planned = await noteZones(db, process.versions['tz'] ?? '');
    if (planned > 0) log.info({ schedules: planned }, 'the zone data are new, schedules are planned anew');
    zonesNoted = true;
  };
  const loop = every({
    name: 'schedule',
    intervalMs: POLL_MS,
    pass: async () => {
      await noteZonesOnce();
      const { nextInMs, occurrences, dispatched, skipped, buffered, waiting } = await measures.pass(pass);
      if (occurrences + dispatched + skipped > 0) {
        log.debug({ occurrences, dispatched, skipped, buffered, waiting }, 'occurrences came due');
      }
      begin();
      return nextInMs;
    },
    log,
    passTimeoutMs: PASS_TIMEOUT_MS,
    maxBackoffMs: MAX_BACKOFF_MS,
  });
  const checks = (): Check[] => {
    const { lastOk, lastError } = loop;
    const { refusal } = storage;
    const ok = lastError === undefined && lastOk !== undefined && Date.now() - lastOk < STALLED_MS;
    return [
      {
        name: 'schedule',
        ok,
        ...(ok ? {} : { detail: lastError ?? 'no pass has ended lately' }),
        ...(lastOk === undefined ? {} : { lastProgressAt: lastOk }),
      },
      // Planning goes on without NATS, so this alone makes nobody unready.
      {
        name: 'publish',
        ok: publisher.moving,
        detail: `${publisher.waiting} jobs wait${bus.connected ? '' : ', NATS is away'}`,
      },
      // Nor does this: it goes on by itself, and a scheduler elsewhere could do no better.
      {
        name: 'storage',
        ok: true,
        ...(refusal === undefined ? {} : { detail: `schedules wait: ${refusal}` }),
      },
    ];
  };
  const { metrics = createMetrics({ app: 'scheduler' }) } = params;
  metrics.observe(measureNats(bus));
  metrics.observe(() => measures.readings(publisher));
  const { host, healthPort: port } = config;
  const health = await startHealthServer({
    host,
    port,
    live: () => [{ name: 'process', ok: true }],
    ready: checks,
    metrics,
  }).catch(async (error: unknown) => {
    metrics.stop();
    await close();
    throw error;
  });
  await storage.begun;
  loop.start();
  duties.start();

  const stop = async () => {
    void bus.leave();
    await loop.stop();
    await duties.stop();
    await publisher.stop(STOP_PUBLISHING_MS);
    await notes.stop();
    await health.stop();
    metrics.stop();
    await close();
  };
  let stopping: Promise<void> | undefined;
  return {
    healthUrl: `http://${host}:${health.port}`,
    checks,
    ready: () => begun,
    stop() {
      stopping ??= stop().finally(begin);
      return stopping;
    },
  };
}
