import type { Server } from 'node:tls';
import { readSettings } from '@jetbeat/core';
import {
  BusClosedError,
  createPublisher,
  type JobToPublish,
  publishJobs,
  tellPublished,
} from '@jetbeat/jetstream';
import {
  claimAnswer,
  databaseTime,
  dropAnswer,
  findApiKey,
  getJob,
  hasLiveApiKey,
  insertJobs,
  keepAnswer,
  listTasks,
  migrate,
  noteKeyUse,
  notePublished,
  noteSessionUse,
  openDatabase,
  sharedSecret,
  tasksServed,
} from '@jetbeat/postgres';
import { createMetrics, type Running, type StartParams, toListenError, untilThere } from '@jetbeat/runtime';
import { createCallers } from './access/callers.ts';
import { checkDoor } from './access/door.ts';
import { adoptFirstKey } from './access/first-key.ts';
import { createKnownKeys } from './access/known-keys.ts';
import { createKeyUses } from './access/note-key-use.ts';
import { followTls } from './access/tls.ts';
import { createKeptAnswers } from './answers/kept-answers.ts';
import { createBatchActs } from './batches/acts.ts';
import { historyBehind } from './batches/history-behind.ts';
import { createBatchLoop } from './batches/loop.ts';
import { createDeadPorts } from './dead-letters/dead-ports.ts';
import { TIME_LIMIT_MS } from './edges/under-way.ts';
import { watchFleet } from './fleet/fleet.ts';
import { tellTask } from './fleet/tell-task.ts';
import { createWorkerPorts } from './fleet/worker-ports.ts';
import { createCancelPorts } from './jobs/cancel-ports.ts';
import { createInputCheck } from './jobs/check-input.ts';
import { createInserter } from './jobs/inserter.ts';
import { createMovePorts } from './jobs/move-ports.ts';
import { createUniquePorts } from './jobs/unique-ports.ts';
import { createWaitingRequests } from './jobs/wait-for-end.ts';
import { createLiveEvents } from './live/live-events.ts';
import { createLivePorts } from './live/live-ports.ts';
import { connectMessaging } from './messaging.ts';
import { createQueuePorts } from './queues/queue-ports.ts';
import { createCounting } from './requests/counting.ts';
import { createCursors } from './requests/cursor.ts';
import { createServer } from './server.ts';
import { openOidc } from './sign-in/open-oidc.ts';
import { createSessions } from './sign-in/sessions.ts';
import { readiness } from './watching/health-checks.ts';
import { observeApi } from './watching/observe.ts';
import { createTraceSends } from './watching/trace-sends.ts';

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
 * @throws DatabaseUnavailableError after a minute without PostgreSQL; ListenError when the port is taken
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
      statementMs: TIME_LIMIT_MS,
      log,
      instrument: tracing?.instrumentPg,
    });
    closing.push(() => db.close());
    const ready = () => migrate(db, { log, leaveIndexes: true });
    await untilThere({ connect: ready, log, stopping: params.stopping });
    await adoptFirstKey(db, { text: config.apiKey, now: clock(), log });
    const door = await checkDoor({ host: config.host, api: config.api, hasKey: () => hasLiveApiKey(db) });
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
      tell: async (published) => {
        const connected = messaging.now();
        if (!connected) throw new BusClosedError();
        await tellPublished(connected.events, published);
      },
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
    });
    const refusal = () => messaging.now()?.storage.refusal;
    const send = (job: JobToPublish) => publisher.add([job]);
    const queueRefusal = (queue: string) => messaging.now()?.storage.queueRefusal(queue);
    const cancel = createCancelPorts(reach);
    const move = createMovePorts({ ...reach, publish, warn: (err, job) => log.warn({ err, job }, LEFT) });
    const dead = createDeadPorts(messaging.now);
    const behind = () => historyBehind(messaging.now);
    const acts = { db, cancel, move, dead, fleet, settings, refusal, queueRefusal, clock };
    const batches = createBatchLoop({ db, act: createBatchActs(acts), publish: send, behind, log });
    closing.push(() => batches.stop());
    const cursors = createCursors(await sharedSecret(db, 'cursor'));
    const waiting = createWaitingRequests({ messaging: messaging.now, look: (id) => getJob(db, id) });
    const sessions = createSessions({ db, door, times: config.api.sessions });
    metrics.observe(() => sessions.readings());
    const oidc = await openOidc({
      api: config.api,
      door,
      clock,
      secret: () => sharedSecret(db, 'sign-in'),
    });
    const callers = createCallers({
      findKey: createKnownKeys({ findKey: (id) => findApiKey(db, id) }),
      findSession: (hash) => sessions.find(hash),
      door,
      clock,
    });
    const events = createLiveEvents({
      ports: createLivePorts({ db, messaging: messaging.now }),
      limits: config.api.streams,
      log,
    });
    closing.push(() => events.stop());
    metrics.observe(() => events.readings());
    const usesOf = {
      key: createKeyUses({ write: (ids) => noteKeyUse(db, ids), log }),
      session: createKeyUses({ write: (ids) => noteSessionUse(db, ids), log }),
    };
    for (const uses of Object.values(usesOf)) closing.push(() => uses.stop());
    const app = await createServer({
      db,
      cursors,
      counting: createCounting(db, clock),
      log,
      clock,
      callers,
      uses: { note: ({ kind, id }) => usesOf[kind].note(id) },
      sessions,
      oidc,
      insertJob: counted(createInserter({ insertJobs: (...asked) => insertJobs(db, ...asked) })),
      answers: createKeptAnswers({
        claim: (asked) => claimAnswer(db, asked),
        keep: (kept) => keepAnswer(db, kept),
        drop: (own) => dropAnswer(db, own),
        log,
      }),
      unique: createUniquePorts({ db, messaging: messaging.now, clock, log }),
      publish: send,
      fleet,
      checkInput: createInputCheck(log),
      settings,
      cancel,
      move,
      waiting,
      events,
      queues: createQueuePorts({ db, messaging: messaging.now, config }),
      tellTask: tellTask(messaging.now),
      dead,
      batches: { poke: () => batches.poke(), behind },
      workers: createWorkerPorts(reach),
      tracing,
      sends,
      refusal,
      queueRefusal,
      maxPayload: () => messaging.now()?.bus.maxPayload ?? USUAL_PAYLOAD,
      connections: config.api.connections,
      limits: config.api.rateLimits,
      queueing: () => db.queueing(),
      door,
      metrics,
      live: () => [{ name: 'process', ok: true }],
      ready: () => readiness({ db, isConnected, publisher, refusal: messaging.now()?.storage.refusal }),
    });
    closing.push(() => app.close());
    // Whoever waits for the end of a job is answered, so that its request ends.
    closing.push(async () => waiting.stop());
    closing.push(() => events.stop());
    closing.push(async () => void messaging.now()?.bus.leave());
    const { host, port } = config;
    const url = await app.listen({ host, port }).catch((error: unknown) => {
      throw toListenError(error, { host, port, setting: 'JETBEAT_PORT' });
    });
    if (config.api.tls && door.tls) {
      const certificate = followTls(app.server as unknown as Server, {
        files: config.api.tls,
        loaded: door.tls,
        log,
      });
      closing.push(async () => certificate.stop());
    }
    batches.start();
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
