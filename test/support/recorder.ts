import { randomBytes } from 'node:crypto';
import {
  type Event,
  factsOf,
  type JobEnvelope,
  type ParkedEvent,
  type ReturnedEvent,
  type SettledEvent,
  type StartedEvent,
  uuidV7,
  type WorkerEvent,
} from '@jetbeat/core';
import {
  type Bus,
  connectBus,
  createEventPublisher,
  type EventPublisher,
  ensureTopology,
  silentLog,
} from '@jetbeat/jetstream';
import { type Database, databaseTime, openDatabase, recordChanges } from '@jetbeat/postgres';
import { type Recorder, type RecorderPorts, type RecorderTimes, start } from '@jetbeat/recorder';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { onTestFinished } from 'vitest';
import { createTestDatabase } from './database.ts';
import { natsUrl, testNamespace, testTopology } from './nats.ts';

/** A namespace and a database of a test's own, with recorders on them, and what a worker or an API would use beside them. */
export interface RecorderBench {
  readonly bus: Bus;
  readonly db: Database;
  readonly events: EventPublisher;
  readonly namespace: string;
  /** Starts one more recorder; it is stopped when the test has finished. */
  start(options?: BenchOptions): Promise<Recorder>;
  /** Stops sooner, before a test stops its own servers. */
  stop(): Promise<void>;
}

/** How a recorder differs from one outside of tests. */
interface BenchOptions {
  readonly ackWaitMs?: number;
  readonly times?: Partial<RecorderTimes>;
  readonly ports?: Partial<RecorderPorts>;
  /** What it takes for the room of all of JetStream, in bytes. */
  readonly storageLimit?: number;
}

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

/**
 * Makes the bench; it is stopped when the test has finished.
 * @param params servers of the test's own, which it may kill; else those of the run. `atEnd`: for one of a whole file
 */
export async function createRecorderBench(
  params: { nats?: string; database?: string; atEnd?: (stop: () => Promise<void>) => void } = {},
): Promise<RecorderBench> {
  const { atEnd = onTestFinished } = params;
  const namespace = testNamespace();
  const database = params.database === undefined ? await createTestDatabase() : undefined;
  const databaseUrl = params.database ?? database?.url ?? '';
  const servers = params.nats ?? natsUrl();
  const bus = await connectBus({ servers, name: 'bench', namespace, log: silentLog });
  const { eventsMaxBytes } = testTopology;
  await ensureTopology(bus, { queues: ['default'], ...testTopology });
  const db = await openDatabase({ url: databaseUrl, applicationName: 'bench' });
  const events = createEventPublisher(bus, { log: silentLog });
  const recorders: Recorder[] = [];
  let stopped: Promise<void> | undefined;
  const close = async () => {
    await Promise.all(recorders.map((recorder) => recorder.stop()));
    await events.close();
    await bus.close();
    await db.close();
    await database?.drop();
  };
  const stop = () => {
    stopped ??= close();
    return stopped;
  };
  atEnd(stop);
  return {
    bus,
    db,
    events,
    namespace,
    stop,
    async start({ ackWaitMs = 2_000, times, ports, storageLimit } = {}) {
      const env = {
        JETBEAT_NATS_URL: servers,
        JETBEAT_DATABASE_URL: databaseUrl,
        JETBEAT_NAMESPACE: namespace,
      };
      const loaded = loadConfig({ env, app: 'recorder' });
      const storage = { ...loaded.storage, ...(storageLimit === undefined ? {} : { limit: storageLimit }) };
      const config = { ...loaded, storage, ackWaitMs, healthPort: 0 };
      const log = createLog({
        app: 'recorder',
        level: process.env['JETBEAT_TEST_LOG'] === '1' ? 'debug' : 'fatal',
      });
      const recorder = await start({
        config,
        log,
        topology: { eventsMaxBytes },
        ...(times === undefined ? {} : { times }),
        ...(ports === undefined ? {} : { ports }),
      });
      recorders.push(recorder);
      return recorder;
    },
  };
}

/** A new id. */
export function newId(at = Date.now()): string {
  return uuidV7(at, randomBytes(10));
}

/** The envelope of a job that is due now. */
export function newJob(change: Partial<JobEnvelope> = {}): JobEnvelope {
  const now = Date.now();
  return {
    v: 1,
    id: newId(now),
    task: 'system.echo',
    queue: 'default',
    priority: 'normal',
    input: { a: 1 },
    createdAt: now,
    runAt: now,
    attempt: 1,
    run: 1,
    parks: 0,
    ...change,
  };
}

/** A `traceparent` for tests that do not look at it. */
export function traceparent(): string {
  return TRACEPARENT;
}

/** An `accepted` event. */
export function acceptedEvent(envelope: JobEnvelope, seq: number): Event {
  return { kind: 'accepted', envelope, traceparent: TRACEPARENT, seq };
}

/** A `started` event of the job's position. */
export function startedEvent(job: JobEnvelope, change: Partial<StartedEvent> = {}): StartedEvent {
  return {
    kind: 'started',
    ...factsOf(job, undefined),
    runId: newId(),
    worker: 'w1',
    at: Date.now(),
    ...change,
  };
}

/** A `settled` event, `succeeded` unless said otherwise. */
export function settledEvent(job: JobEnvelope, change: Partial<SettledEvent> = {}): SettledEvent {
  const now = Date.now();
  return {
    kind: 'settled',
    ...factsOf(job, undefined),
    runId: newId(),
    worker: 'w1',
    outcome: 'succeeded',
    startedAt: now - 5,
    finishedAt: now,
    next: { state: 'succeeded' },
    ...change,
  };
}

/** How a job settles that dies at its first attempt. */
export const DEAD = {
  outcome: 'rejected',
  error: { name: 'Error', message: 'no' },
  next: { state: 'dead', reason: { code: 'rejected', text: 'no' } },
} as const;

/** A `parked` event; the job's parks count it already. */
export function parkedEvent(job: JobEnvelope, what: 'task' | 'doubt'): ParkedEvent {
  return { kind: 'parked', ...factsOf(job, undefined), what, at: Date.now() };
}

/** A `returned` event: a stopping worker gave the job back. */
export function returnedEvent(job: JobEnvelope): ReturnedEvent {
  const now = Date.now();
  const facts = factsOf(job, undefined);
  return { kind: 'returned', ...facts, runId: newId(), worker: 'w1', startedAt: now - 5, at: now };
}

/** What a worker says of itself. */
export function workerEvent(worker: string, change: Partial<WorkerEvent> = {}): WorkerEvent {
  const now = Date.now();
  return {
    kind: 'worker',
    worker,
    state: 'running',
    host: 'test',
    pid: 1,
    version: '0.1.0',
    queues: ['default'],
    concurrency: 10,
    held: 0,
    startedAt: now,
    at: now,
    ...change,
  };
}

/** Writes into history that these workers are alive, for as long as a file of tests takes. */
export async function writeWorkers(db: Database, workers: readonly WorkerEvent[]): Promise<void> {
  const now = (await databaseTime(db)) + 600_000;
  await recordChanges(db, { changes: { jobs: [], attempts: [] }, now, workers });
}

/** What PostgreSQL keeps of a job beside its envelope. */
export const ROW = { traceparent: TRACEPARENT, totalLimitMs: 60_000, origin: 'api' } as const;
