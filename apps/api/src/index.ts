import { readSettings } from '@jetbeat/core';
import { BusClosedError, createPublisher, type JobToPublish, publishJobs } from '@jetbeat/jetstream';
import {
  databaseTime,
  findApiKey,
  getJob,
  insertApiKey,
  insertJobs,
  listTasks,
  migrate,
  notePublished,
  openDatabase,
  tasksServed,
} from '@jetbeat/postgres';
import { createMetrics, type Running, type StartParams, toListenError } from '@jetbeat/runtime';
import { hashSecret, parseKey } from './api-key.ts';
import { createCancelPorts } from './cancel-ports.ts';
import { createInputCheck } from './check-input.ts';
import { createDeadPorts } from './dead-ports.ts';
import { watchFleet } from './fleet.ts';
import { readiness } from './health-checks.ts';
import { createInserter } from './inserter.ts';
import { connectMessaging } from './messaging.ts';
import { createMovePorts } from './move-ports.ts';
import { observeApi } from './observe.ts';
import { createQueuePorts } from './queue-ports.ts';
import { createReplayLoop } from './replay-loop.ts';
import { createServer } from './server.ts';
import { tellTask } from './tell-task.ts';
import { createTraceSends } from './trace-sends.ts';
import { createUniquePorts } from './unique-ports.ts';
import { createWaitingRequests } from './wait-for-end.ts';

/** A running API. */
export interface RunningApi extends Running {
  /** Where it listens, e.g. `http://127.0.0.1:7420`. */
  readonly url: string;
}

/** How the servers' monitoring names this app. */
const NAME = 'jetbeat api';
/** How long committed jobs may take to be published when the API stops, milliseconds. */
const DRAIN_MS = 6_000;
/** A committed job that could not be published. */
const LEFT = 'a job that was moved is left to the recorder to publish';
/** What a NATS server takes in one message unless it is told otherwise, bytes. */
const USUAL_PAYLOAD = 1_048_576;

/**
 * Starts the API: schema and topology brought up to date, the configured key made known, listening.
 * @param params.publish the arrow between commit and JetStream, so that a test can break it
 * @throws when PostgreSQL or NATS cannot be reached at the start; ListenError when the port is taken
 */
export async function start(params: StartParams & { publish?: typeof publishJobs }): Promise<RunningApi> {
  const { config, log, tracing, publish = publishJobs } = params;
  const clock = Date.now;
  const { ackWaitMs } = config;
  const settings = readSettings(config.settings, config.file);
  const closing: (() => Promise<unknown>)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= closeAll(closing);
    return stopped;
  };
  try {
    const db = await openDatabase({
      url: config.database.url,
      applicationName: NAME,
      poolSize: 10,
      log,
      instrument: tracing?.instrumentPg,
    });
    closing.push(() => db.close());
    await migrate(db, { log, leaveIndexes: true });
    const key = config.apiKey === undefined ? undefined : parseKey(config.apiKey);
    if (key)
      await insertApiKey(db, { id: key.id, hash: hashSecret(key.secret), role: 'admin', createdAt: clock() });
    const messaging = await connectMessaging({ config, log });
    closing.push(() => messaging.close());
    const isConnected = () => messaging.now()?.bus.connected ?? false;
    const publishNow = async (jobs: readonly JobToPublish[]) => {
      const connected = messaging.now();
      if (!connected) throw new BusClosedError();
      return publish(connected.bus, jobs);
    };
    const sends = tracing && createTraceSends(tracing);
    const publisher = createPublisher({
      publish: sends ? sends.traced(publishNow) : publishNow,
      notePublished: (rows) => notePublished(db, rows),
      isConnected,
      log,
      clock,
    });
    closing.push(() => publisher.stop(DRAIN_MS));
    const { metrics = createMetrics({ app: 'api' }) } = params;
    closing.push(async () => metrics.stop());
    const { counted } = observeApi({ metrics, db, messaging, publisher, ackWaitMs });
    const reach = { db, messaging: messaging.now, ackWaitMs, clock };
    const fleet = watchFleet({
      listTasks: () => listTasks(db),
      tasksServed: async () => tasksServed(db, { now: await databaseTime(db), within: ackWaitMs }),
      clock,
    });
    const refusal = () => messaging.now()?.storage.refusal;
    const send = (job: JobToPublish) => publisher.add([job]);
    const replays = createReplayLoop({ db, fleet, settings, publish: send, refusal, clock, log });
    closing.push(() => replays.stop());
    const app = await createServer({
      db,
      log,
      clock,
      findKey: (id) => findApiKey(db, id),
      insertJob: counted(createInserter({ insertJobs: (jobs) => insertJobs(db, jobs) })),
      unique: createUniquePorts({ db, messaging: messaging.now, clock, log }),
      publish: send,
      fleet,
      checkInput: createInputCheck(log),
      settings,
      cancel: createCancelPorts(reach),
      move: createMovePorts({ ...reach, publish, warn: (err, job) => log.warn({ err, job }, LEFT) }),
      waiting: createWaitingRequests({ messaging: messaging.now, look: (id) => getJob(db, id) }),
      queues: createQueuePorts({ db, messaging: messaging.now, config, clock }),
      tellTask: tellTask(messaging.now),
      dead: createDeadPorts(messaging.now),
      replays,
      tracing,
      sends,
      refusal,
      queueRefusal: (queue) => messaging.now()?.storage.queueRefusal(queue),
      maxPayload: () => messaging.now()?.bus.maxPayload ?? USUAL_PAYLOAD,
      metrics,
      live: () => [{ name: 'process', ok: true }],
      ready: () => readiness({ db, isConnected, publisher, refusal: messaging.now()?.storage.refusal }),
    });
    closing.push(() => app.close());
    const { host, port } = config;
    const url = await app.listen({ host, port }).catch((error: unknown) => {
      throw toListenError(error, { host, port, setting: 'JETBEAT_PORT' });
    });
    replays.start();
    log.info({ url }, 'listening');
    return { url, ready: async () => {}, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Closes in the reverse order of opening; one that fails does not keep the others open. */
async function closeAll(closing: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of [...closing].reverse()) await close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed');
}
