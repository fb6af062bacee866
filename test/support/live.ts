import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningApi, start } from '@jetbeat/api';
import { connectHttp, type HttpClient } from '@jetbeat/client/http';
import type { publishJobs } from '@jetbeat/jetstream';
import { createApiKey } from '@jetbeat/postgres';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { onTestFinished } from 'vitest';
import { createTestDatabase } from './database.ts';
import { natsUrl } from './nats.ts';
import { createRecorderBench, type RecorderBench } from './recorder.ts';

/** APIs and a recorder on a namespace and a database of their own; events are put into EVENTS by the test itself. */
export interface LiveBench extends RecorderBench {
  readonly adminKey: string;
  /** For an API that is a process of its own. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Starts one more API in this process.
   * @param params.postgresPort of a way to PostgreSQL that the test can break
   */
  api(params?: { postgresPort?: number; publish?: typeof publishJobs }): Promise<LiveApi>;
  /** Where PostgreSQL is. */
  readonly postgresPort: number;
  /** Makes a key; all of it as it is sent. */
  key(change: { queues?: readonly string[]; payloads?: boolean; expiresAt?: number }): Promise<string>;
}

/** One of them. */
export interface LiveApi extends RunningApi {
  client(apiKey?: string): HttpClient;
}

/** Makes the bench; it is stopped when the test has finished, or at the end of the file that says so with `atEnd`. */
export async function createLiveBench(
  params: { readonly nats?: string; readonly atEnd?: (stop: () => Promise<void>) => void } = {},
): Promise<LiveBench> {
  const { atEnd = onTestFinished } = params;
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-live-'));
  const database = await createTestDatabase();
  atEnd(async () => {
    await database.drop();
    await rm(dir, { recursive: true, force: true });
  });
  const servers = params.nats ?? natsUrl();
  const bench = await createRecorderBench({ nats: servers, database: database.url, atEnd });
  await bench.start();
  const adminKey = newKey('first').text;
  const env = {
    JETBEAT_NATS_URL: servers,
    JETBEAT_DATABASE_URL: database.url,
    JETBEAT_NAMESPACE: bench.namespace,
    JETBEAT_API_KEY: adminKey,
  };
  return {
    ...bench,
    adminKey,
    env,
    postgresPort: Number(new URL(database.url).port),
    async api({ postgresPort, publish } = {}) {
      const url = new URL(database.url);
      if (postgresPort !== undefined) url.port = String(postgresPort);
      const level = process.env['JETBEAT_TEST_LOG'] === '1' ? 'debug' : 'fatal';
      const api = await start({
        config: loadConfig({
          env: { ...env, JETBEAT_DATABASE_URL: url.href, JETBEAT_PORT: '0' },
          app: 'api',
          cwd: dir,
        }),
        log: createLog({ app: 'api', level }),
        ...(publish === undefined ? {} : { publish }),
      });
      atEnd(() => api.stop());
      return { ...api, client: (apiKey = adminKey) => connectHttp({ url: api.url, apiKey }) };
    },
    async key({ queues, payloads = true, expiresAt }) {
      const { id, text, hash } = newKey(randomBytes(6).toString('hex'));
      await createApiKey(bench.db, {
        id,
        hash,
        role: 'viewer',
        name: 'test',
        payloads,
        createdAt: Date.now(),
        ...(queues === undefined ? {} : { queues }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      return text;
    },
  };
}

function newKey(id: string): { id: string; text: string; hash: string } {
  const secret = randomBytes(32).toString('base64url');
  return { id, text: `jb_${id}_${secret}`, hash: createHash('sha256').update(secret).digest('hex') };
}
