import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '@jetbeat/api';
import type { JobAccepted } from '@jetbeat/core/http';
import { type Bus, connectBus, publishJobs } from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  getJob,
  type JobWithAttempts,
  openDatabase,
  recordChanges,
} from '@jetbeat/postgres';
import { start as startRecorder } from '@jetbeat/recorder';
import { createLog, loadConfig } from '@jetbeat/runtime';
import type { Task } from '@jetbeat/task';
import { createTestDatabase } from './database.ts';
import { createHttp, type Http } from './http.ts';
import { natsUrl, testNamespace } from './nats.ts';
import { waitUntil } from './wait-until.ts';

/** The part of a problem that tests look at. */
export interface ProblemJson {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { pointer: string; code: string; suggestion?: string }[];
}

/** An API in this process, on a database and a namespace of its own, and nothing else beside it. */
export interface TestApi {
  readonly bus: Bus;
  readonly db: Database;
  readonly http: Http;
  readonly databaseUrl: string;
  /** The key that `http` calls with. */
  readonly key: string;
  /** Calls with this key. */
  as(apiKey: string): Http;
  /** Starts one more API on the same servers. @param key in its configuration, with which it is called too */
  beside(key?: string): Promise<Http>;
  /** Starts a recorder on the same servers. */
  record(): Promise<void>;
  /** Starts a worker on the same servers; its id. */
  work(params: { readonly queues: readonly string[]; readonly tasks: readonly Task[] }): Promise<string>;
  /** Posts a job that must be accepted. */
  enqueue(body: object): Promise<JobAccepted>;
  /** The row of a job once its publish is noted. */
  published(id: string): Promise<JobWithAttempts>;
  /** From now on the API commits and does not publish, until what is returned is called. */
  holdPublishing(): () => void;
  /** A worker that serves `report.send` on the queue `reports`, unless told otherwise, says that it is alive. */
  workerIsAlive(worker: string, tasks?: ReturnType<typeof heartbeat>['tasks']): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an API with the admin key `jb_first_…`.
 * @param params.yaml what stands in its `jetbeat.yaml`
 * @param params.nats another server than that of the test run
 */
export async function startTestApi(
  params: { readonly yaml?: string; readonly nats?: string } = {},
): Promise<TestApi> {
  const { nats = natsUrl() } = params;
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-'));
  if (params.yaml !== undefined) await writeFile(join(dir, 'jetbeat.yaml'), params.yaml);
  const database = await createTestDatabase();
  const db = await openDatabase({ url: database.url, applicationName: 'test' });
  const namespace = testNamespace();
  const bus = await connectBus({ servers: nats, name: 'test', namespace });
  const apiKey = `jb_first_${'k'.repeat(43)}`;
  const env = {
    JETBEAT_NATS_URL: nats,
    JETBEAT_DATABASE_URL: database.url,
    JETBEAT_NAMESPACE: namespace,
    JETBEAT_PORT: '0',
  };
  let held: Promise<void> | undefined;
  const begin = (key = apiKey) =>
    start({
      config: loadConfig({ env: { ...env, JETBEAT_API_KEY: key }, app: 'api', cwd: dir }),
      log: createLog({ app: 'api', level: 'fatal' }),
      publish: async (...params) => {
        await held;
        return publishJobs(...params);
      },
    });
  const api = await begin();
  await api.ready();
  const others: { stop(): Promise<void> }[] = [];
  const http = createHttp({ url: api.url, apiKey });
  return {
    bus,
    db,
    http,
    key: apiKey,
    databaseUrl: database.url,
    as: (key) => createHttp({ url: api.url, apiKey: key }),
    async beside(key = apiKey) {
      const other = await begin(key);
      others.push(other);
      return createHttp({ url: other.url, apiKey: key });
    },
    async record() {
      const config = { ...loadConfig({ env, app: 'recorder', cwd: dir }), healthPort: 0 };
      others.push(await startRecorder({ config, log: createLog({ app: 'recorder', level: 'fatal' }) }));
    },
    async work({ queues, tasks }) {
      // Most who start an API need none.
      const { start: startWorker } = await import('@jetbeat/worker');
      const own = { ...env, JETBEAT_QUEUES: queues.join(',') };
      const config = { ...loadConfig({ env: own, app: 'worker', cwd: dir }), healthPort: 0 };
      const worker = await startWorker({ config, log: createLog({ app: 'worker', level: 'fatal' }), tasks });
      others.push(worker);
      return worker.id;
    },
    async enqueue(body) {
      const { status, body: accepted } = await http.call<JobAccepted>('POST', '/jobs', body);
      if (status !== 202) throw new Error(`not accepted: ${JSON.stringify(accepted)}`);
      return accepted;
    },
    published: (id) =>
      waitUntil(`job ${id} is published`, async () => {
        const job = await getJob(db, id);
        return job?.published ? job : undefined;
      }),
    holdPublishing() {
      let release = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        held = undefined;
        release();
      };
    },
    async workerIsAlive(worker, tasks) {
      await recordChanges(db, {
        changes: { jobs: [], attempts: [] },
        now: await databaseTime(db),
        workers: [heartbeat(worker, tasks)],
      });
    },
    async stop() {
      await Promise.all([api, ...others].map((each) => each.stop()));
      await bus.close();
      await db.close();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const REPORT = {
  name: 'report.send',
  queue: 'reports',
  inputSchema: { type: 'object', required: ['to'], properties: { to: { type: 'string' } } } as object,
};

function heartbeat(worker: string, tasks = [REPORT]) {
  return {
    kind: 'worker' as const,
    worker,
    state: 'running' as const,
    host: 'h',
    pid: 1,
    version: '1',
    queues: ['reports'],
    concurrency: 1,
    held: 0,
    startedAt: Date.now(),
    at: Date.now(),
    tasks,
  };
}
