import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '@jetbeat/api';
import type { JobAccepted } from '@jetbeat/core';
import { type Bus, connectBus, publishJobs } from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  getJob,
  type JobWithAttempts,
  openDatabase,
  recordChanges,
} from '@jetbeat/postgres';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { createTestDatabase } from './database.ts';
import { createHttp, type Http } from './http.ts';
import { natsUrl, testNamespace } from './nats.ts';
import { waitUntil } from './wait-until.ts';

/** The part of a problem that tests look at. */
export interface ProblemJson {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { pointer: string; code: string }[];
}

/** An API in this process, on a database and a namespace of its own, and nothing else beside it. */
export interface TestApi {
  readonly bus: Bus;
  readonly db: Database;
  readonly http: Http;
  /** The key that `http` calls with. */
  readonly key: string;
  /** Calls with this key. */
  as(apiKey: string): Http;
  /** Posts a job that must be accepted. */
  enqueue(body: object): Promise<JobAccepted>;
  /** The row of a job once its publish is noted. */
  published(id: string): Promise<JobWithAttempts>;
  /** From now on the API commits and does not publish, until what is returned is called. */
  holdPublishing(): () => void;
  /** A worker that serves `report.send` on the queue `reports` says that it is alive. */
  workerIsAlive(worker: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an API with the admin key `jb_first_…`. */
export async function startTestApi(): Promise<TestApi> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-'));
  const database = await createTestDatabase();
  const db = await openDatabase({ url: database.url, applicationName: 'test' });
  const namespace = testNamespace();
  const bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
  const apiKey = `jb_first_${'k'.repeat(43)}`;
  const env = {
    JETBEAT_NATS_URL: natsUrl(),
    JETBEAT_DATABASE_URL: database.url,
    JETBEAT_NAMESPACE: namespace,
    JETBEAT_PORT: '0',
    JETBEAT_API_KEY: apiKey,
  };
  let held: Promise<void> | undefined;
  const api = await start({
    config: loadConfig({ env, app: 'api', cwd: dir }),
    log: createLog({ app: 'api', level: 'fatal' }),
    publish: async (...params) => {
      await held;
      return publishJobs(...params);
    },
  });
  await api.ready();
  const http = createHttp({ url: api.url, apiKey });
  return {
    ...{ bus, db, http, key: apiKey },
    as: (key) => createHttp({ url: api.url, apiKey: key }),
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
    async workerIsAlive(worker) {
      await recordChanges(db, {
        changes: { jobs: [], attempts: [] },
        now: await databaseTime(db),
        workers: [heartbeat(worker)],
      });
    },
    async stop() {
      await api.stop();
      await bus.close();
      await db.close();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function heartbeat(worker: string) {
  const inputSchema = { type: 'object', required: ['to'], properties: { to: { type: 'string' } } };
  return {
    ...{ kind: 'worker' as const, worker, state: 'running' as const, host: 'h', pid: 1, version: '1' },
    ...{ queues: ['reports'], concurrency: 1, held: 0, startedAt: Date.now(), at: Date.now() },
    tasks: [{ name: 'report.send', queue: 'reports', inputSchema }],
  };
}
