import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningApi, start } from '@jetbeat/api';
import type { Job, Schedule } from '@jetbeat/core';
import {
  type Bus,
  connectBus,
  findMessage,
  jobsStreamState,
  publishJobs,
  serveHeld,
  timerSubject,
} from '@jetbeat/jetstream';
import { type Database, databaseTime, getJob, openDatabase, recordChanges } from '@jetbeat/postgres';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createHttp, type Http } from '../support/http.ts';
import { natsUrl, testNamespace } from '../support/nats.ts';
import { waitUntil } from '../support/wait-until.ts';

const API_KEY = `jb_first_${'k'.repeat(43)}`;
const WORKER = 'worker-1';

let dir: string;
let database: TestDatabase;
let db: Database;
let bus: Bus;
let api: RunningApi;
let http: Http;
/** While it is set, what the API publishes waits for it. */
let held: Promise<void> | undefined;

interface Accepted {
  id: string;
  state: string;
  created: boolean;
  warnings: { code: string; message: string }[];
}
interface ProblemJson {
  status: number;
  code: string;
  detail: string;
  errors: { pointer: string; code: string }[];
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-'));
  database = await createTestDatabase();
  db = await openDatabase({ url: database.url, applicationName: 'test' });
  const namespace = testNamespace();
  bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
  const env = {
    JETBEAT_NATS_URL: natsUrl(),
    JETBEAT_DATABASE_URL: database.url,
    JETBEAT_NAMESPACE: namespace,
    JETBEAT_PORT: '0',
    JETBEAT_API_KEY: API_KEY,
  };
  api = await start({
    config: loadConfig({ env, app: 'api', cwd: dir }),
    log: createLog({ app: 'api', level: 'fatal' }),
    publish: async (...params) => {
      await held;
      return publishJobs(...params);
    },
  });
  await api.ready();
  http = createHttp({ url: api.url, apiKey: API_KEY });
});

afterAll(async () => {
  await api?.stop();
  await bus?.close();
  await db?.close();
  await database?.drop();
  await rm(dir, { recursive: true, force: true });
});

async function enqueue(body: object): Promise<Accepted> {
  const { status, body: accepted } = await http.call<Accepted>('POST', '/jobs', body);
  expect(status).toBe(202);
  return accepted;
}

/** The row of a job once its publish is noted. */
function published(id: string) {
  return waitUntil(`job ${id} is published`, async () => {
    const job = await getJob(db, id);
    return job?.published ? job : undefined;
  });
}

/** A worker that serves `report.send` on `reports` says that it is alive. */
async function workerIsAlive(): Promise<void> {
  await recordChanges(db, {
    changes: { jobs: [], attempts: [] },
    now: await databaseTime(db),
    workers: [
      {
        kind: 'worker',
        worker: WORKER,
        state: 'running',
        host: 'h',
        pid: 1,
        version: '1',
        queues: ['reports'],
        concurrency: 1,
        held: 0,
        startedAt: Date.now(),
        at: Date.now(),
        tasks: [
          {
            name: 'report.send',
            queue: 'reports',
            inputSchema: { type: 'object', required: ['to'], properties: { to: { type: 'string' } } },
          },
        ],
      },
    ],
  });
}

describe('jobs', () => {
  test('accepted, shown, and in JetStream as its own self-contained message', async () => {
    const accepted = await enqueue({ task: 'a.b', input: { x: 1 }, priority: 'high', meta: { k: 'v' } });
    expect(accepted).toMatchObject({ state: 'queued', created: true, warnings: [{ code: 'no_worker' }] });
    const { body: job } = await http.call<Job>('GET', `/jobs/${accepted.id}`);
    expect(job).toMatchObject({
      ...{
        id: accepted.id,
        task: 'a.b',
        queue: 'default',
        priority: 'high',
        state: 'queued',
        input: { x: 1 },
      },
      ...{ meta: { k: 'v' }, attempts: [], startedAt: null, finishedAt: null, expiresAt: null },
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(new Date(job.createdAt).toISOString()).toBe(job.createdAt);
    const { seq } = await published(accepted.id);
    const message = await findMessage(bus, { seq: seq ?? 0 });
    expect(message?.envelope).toMatchObject({
      id: accepted.id,
      input: { x: 1 },
      attempt: 1,
      run: 1,
      parks: 0,
    });
    expect(message?.traceparent?.slice(3, 35)).toBe(job.traceId);
  });

  test('accepted while it cannot be published: it is stored, and published later', async () => {
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const { id } = await enqueue({ task: 'a.b', input: null });
    expect((await http.job(id)).state).toBe('queued');
    release();
    held = undefined;
    expect(await published(id)).toMatchObject({ id });
  });

  test('a hundred at once are a hundred', async () => {
    const before = await jobsStreamState(bus);
    const accepted = await Promise.all(
      Array.from({ length: 100 }, (_, index) => enqueue({ task: 'many', input: index })),
    );
    expect(new Set(accepted.map(({ id }) => id)).size).toBe(100);
    await waitUntil(
      'all are published',
      async () => (await jobsStreamState(bus)).messages >= before.messages + 100,
    );
  });

  test('what the task of a live worker says holds, and its schema is asked', async () => {
    await workerIsAlive();
    const accepted = await waitUntil('the worker is seen', async () => {
      const answer = await enqueue({ task: 'report.send', input: { to: 'a' } });
      return answer.warnings.length === 0 && answer;
    });
    expect((await http.job(accepted.id)).state).toBe('queued');
    const refused = await http.call<ProblemJson>('POST', '/jobs', { task: 'report.send', input: { to: 1 } });
    expect(refused.body).toMatchObject({
      status: 422,
      code: 'invalid_input',
      errors: [{ pointer: '/input/to' }],
    });
  });

  test('listed newest first, by pages, by filter', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.push((await enqueue({ task: 'listed', input: index })).id);
    const list = async (query: string) =>
      (await http.call<{ items: Job[]; nextCursor: string | null }>('GET', `/jobs?task=listed${query}`)).body;
    const first = await list('&limit=3');
    const rest = await list(`&limit=3&cursor=${first.nextCursor}`);
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual([...ids].sort().reverse());
    expect(rest.nextCursor).toBeNull();
    expect((await list('&state=queued&state=scheduled')).items).toHaveLength(5);
    expect((await list('&state=succeeded')).items).toHaveLength(0);
    expect((await list('&queue=other')).items).toHaveLength(0);
    expect((await list('&from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z')).items).toHaveLength(0);
    expect((await list('&from=2020-01-01T00:00:00Z')).items).toHaveLength(5);
  });

  test('what is not there: 404; a message larger than NATS takes: 413', async () => {
    const missing = await http.call<ProblemJson>('GET', '/jobs/0190b5a0-7c00-7000-8000-000000000000');
    expect(missing.body).toMatchObject({ status: 404, code: 'job_not_found' });
    const large = await http.call<ProblemJson>('POST', '/jobs', { task: 'a', input: 'x'.repeat(1_048_300) });
    expect(large.body).toMatchObject({ status: 413, code: 'payload_too_large' });
  });
});

describe('cancel', () => {
  const cancel = (id: string, body?: object) =>
    http.call<Job & ProblemJson>('POST', `/jobs/${id}/cancel`, body);

  test('a delayed job: its timer is gone; again is the same answer', async () => {
    const { id, state } = await enqueue({ task: 'later', input: 1, delay: '1h' });
    expect(state).toBe('scheduled');
    await published(id);
    expect(await findMessage(bus, { subject: timerSubject(bus, id) })).toBeDefined();
    const { status, body } = await cancel(id, { reason: 'not needed' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, state: 'cancelled', reason: { code: 'cancelled', text: 'not needed' } });
    expect(body.finishedAt).not.toBeNull();
    expect(await findMessage(bus, { subject: timerSubject(bus, id) })).toBeUndefined();
    expect((await cancel(id)).body).toMatchObject({ id, state: 'cancelled', reason: { text: 'not needed' } });
  });

  test('a queued job that nobody holds: its message is gone', async () => {
    const { id } = await enqueue({ task: 'queued', input: 1 });
    const { seq = 0 } = await published(id);
    expect((await cancel(id)).body.state).toBe('cancelled');
    expect(await findMessage(bus, { seq })).toBeUndefined();
  });

  test('a job that a worker has begun: 409, and it stays as it is', async () => {
    await workerIsAlive();
    // Not published: nobody can say where it is but the workers.
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const { id } = await enqueue({ task: 'report.send', input: { to: 'a' } });
    const asked: { ids: string[]; cancel: boolean }[] = [];
    const serving = serveHeld(bus, WORKER, (question) => {
      asked.push(question);
      return [{ id, begun: true }];
    });
    const { body } = await cancel(id);
    expect(body).toMatchObject({ status: 409, code: 'job_running' });
    expect(asked).toMatchObject([{ ids: [id], cancel: true }]);
    expect((await http.job(id)).state).toBe('queued');
    await serving.close();
    const silent = await cancel(id);
    expect(silent.body).toMatchObject({ status: 503, code: 'workers_silent' });
    expect(silent.headers.get('retry-after')).toBe('2');
    release();
    held = undefined;
  });

  test('what is not there: 404', async () => {
    expect((await cancel('0190b5a0-7c00-7000-8000-000000000000')).body).toMatchObject({ status: 404 });
  });
});

describe('schedules', () => {
  const path = `/schedules/${encodeURIComponent('reports/nightly')}`;
  const written = {
    name: 'reports/nightly',
    when: [{ cron: '0 3 * * *' }, { every: '90s', from: '2026-01-01T00:00:00.000Z' }],
    timeZone: 'Europe/Paris',
    job: { task: 'report.send', input: { to: 'a' }, queue: 'reports', retry: { attempts: 2, delay: '5s' } },
    overlap: 'allow',
    catchUp: { all: 3 },
    catchUpWindow: '2h',
  };

  test('made, read back as it was written, paused, resumed, deleted', async () => {
    const created = await http.call<Schedule>('POST', '/schedules', written);
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/api/v1${path}`);
    expect(created.body).toMatchObject({ ...written, paused: null, lastOccurrence: null });
    expect(created.body.nextTimes).toHaveLength(5);
    expect((await http.call<ProblemJson>('POST', '/schedules', written)).body).toMatchObject({
      status: 409,
      code: 'schedule_exists',
    });
    const paused = await http.call<Schedule>('POST', `${path}/pause`, { note: 'holidays' });
    expect(paused.body).toMatchObject({
      paused: { by: 'first', note: 'holidays', until: null },
      nextTimes: [],
    });
    const resumed = await http.call<Schedule>('POST', `${path}/resume`);
    expect(resumed.body.paused).toBeNull();
    expect(resumed.body.nextTimes).toHaveLength(5);
    const occurrences = await http.call<{ items: unknown[] }>('GET', `${path}/occurrences`);
    expect([occurrences.status, occurrences.body]).toEqual([200, { items: [], nextCursor: null }]);
    expect((await http.call('DELETE', path)).status).toBe(204);
    for (const request of ['GET', 'DELETE'])
      expect((await http.call<ProblemJson>(request, path)).body).toMatchObject({
        code: 'schedule_not_found',
      });
    for (const verb of ['pause', 'resume'])
      expect((await http.call<ProblemJson>('POST', `${path}/${verb}`)).status).toBe(404);
  });

  test('listed by name, by pages', async () => {
    for (const name of ['c', 'a', 'b'])
      await http.call('POST', '/schedules', { name, when: { every: '1h' }, job: { task: 't', input: 1 } });
    const list = async (query: string) =>
      (await http.call<{ items: Schedule[]; nextCursor: string | null }>('GET', `/schedules${query}`)).body;
    const first = await list('?limit=2');
    const rest = await list(`?limit=2&cursor=${first.nextCursor}`);
    expect([first, rest].map(({ items }) => items.map(({ name }) => name))).toEqual([['a', 'b'], ['c']]);
    expect(rest.nextCursor).toBeNull();
  });
});

test('health, and who may call', async () => {
  const ready = await fetch(`${api.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(((await ready.json()) as { checks: { name: string }[] }).checks.map(({ name }) => name)).toEqual([
    'database',
    'nats',
    'publisher',
  ]);
  const stranger = createHttp({ url: api.url, apiKey: `jb_first_${'x'.repeat(43)}` });
  expect((await stranger.call<ProblemJson>('GET', '/jobs')).body).toMatchObject({
    status: 401,
    code: 'unauthorized',
  });
});
