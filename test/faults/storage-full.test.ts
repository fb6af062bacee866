import { join } from 'node:path';
import type { EnqueueError } from '@jetbeat/client';
import { eventsState, gaugeStorage } from '@jetbeat/jetstream';
import { listJobs, openDatabase } from '@jetbeat/postgres';
import { expect, onTestFinished, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { rawJetStream } from '../support/raw-jetstream.ts';
import { fill, MAX_FILE_MIB, type StorageBench, startStorageBench } from '../support/storage-bench.ts';
import { waitUntil } from '../support/wait-until.ts';

const tasks = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };
/** Longer than filling the store takes. */
const RUNS_MS = 12_000;

const hits = ({ ledger }: StorageBench, path: string) => ledger.effects.get(path)?.arrivals.length ?? 0;

async function post({ stack }: StorageBench, task: string, input: object, more: object = {}) {
  return stack.http.call<{ id: string; code: string; detail: string }>('POST', '/jobs', {
    task,
    input,
    ...more,
  });
}

/** What runs, or is still to come of what runs, when the store fills up. */
async function startJobs(bench: StorageBench): Promise<string[]> {
  const url = (path: string) => bench.ledger.url + path;
  const retry = { attempts: 3, delay: '6s', jitter: false };
  const answers = await Promise.all([
    ...[1, 2, 3].map((one) => post(bench, 'test.wait', { ms: RUNS_MS, url: url(`/running/${one}`) })),
    post(bench, 'test.parent', { ms: RUNS_MS, url: url('/parent') }),
    post(bench, 'http.request', { url: url('/retrying') }, { retry }),
  ]);
  await waitUntil('all have begun', () =>
    ['/running/3', '/parent', '/retrying'].every((path) => hits(bench, path)),
  );
  return answers.map(({ body }) => body.id);
}

async function readyz(app: AppProcess): Promise<string> {
  return (await fetch(`${app.healthUrl}/readyz`)).text();
}

test('JetStream is full: new jobs are refused in time, what runs ends, and all goes on after the drain', async () => {
  const bench = await startStorageBench({
    maxFileMiB: MAX_FILE_MIB,
    env: { JETBEAT_STORAGE_EVENTS: '12MiB' },
  });
  const { stack, client, ledger, bus } = bench;
  const [scheduler] = await Promise.all([
    stack.start('scheduler'),
    stack.start('api'),
    stack.start('worker', { env: tasks }),
  ]);
  const tick = { task: 'test.wait', input: { ms: 1, url: `${ledger.url}/tick` } };
  const body = { name: 'tick', when: { every: '1s' }, overlap: 'allow', job: tick };
  expect(await stack.http.call('POST', '/schedules', body)).toMatchObject({ status: 201 });
  await waitUntil('it ticks', () => hits(bench, '/tick') >= 2);
  const running = await startJobs(bench);

  const { taken, refusal } = await fill(bench);
  expect(refusal.code).toBe('storage_full');
  expect(refusal.message).toMatch(
    /was not stored: the storage of JetStream is [89]\d % full \(\d+ of 48 MiB\)/,
  );
  const { figures } = await gaugeStorage(bus);
  expect(figures.store.used / (MAX_FILE_MIB * 1024 ** 2)).toBeLessThan(0.97);
  const refused = await post(bench, 'test.wait', { ms: 1, url: `${ledger.url}/refused` });
  expect(refused).toMatchObject({ status: 503, body: { code: 'storage_full' } });
  expect(refused.body.detail).toContain('run more workers');
  expect(refused.headers.get('retry-after')).toBe('5');
  await waitUntil('schedules wait', async () => (await readyz(scheduler)).includes('schedules wait'));
  await waitUntil('its log says so', () => scheduler.output().includes('nothing of them is lost'));
  const ticks = hits(bench, '/tick');

  for (const id of running)
    expect((await stack.http.jobIn(id, ['succeeded', 'dead'])).state).toBe('succeeded');
  await waitUntil('the child has run', () => hits(bench, '/parent/child') === 1);
  expect((await post(bench, 'test.wait', { ms: 1, url: ledger.url })).body.code).toBe('storage_full');
  expect(hits(bench, '/tick')).toBeLessThanOrEqual(ticks + 2);
  const later = Array.from({ length: 100 }, (_, index) => ({
    input: { ms: 1, url: `${ledger.url}/later/${index}` },
    options: { queue: 'bulk' },
  }));
  const waiting = client.enqueueMany('test.wait', later);

  const before = hits(bench, '/tick');
  await stack.start('worker', { env: { ...tasks, JETBEAT_QUEUES: 'bulk', JETBEAT_CONCURRENCY: '20' } });
  expect(await waiting).toHaveLength(100);
  const again = await waitUntil('the API takes jobs again', async () => {
    const answer = await post(bench, 'test.wait', { ms: 1, url: `${ledger.url}/again` });
    return answer.status === 202 && answer;
  });
  await waitUntil('it ticks again', () => hits(bench, '/tick') >= before + 3);
  expect(await readyz(scheduler)).not.toContain('schedules wait');

  await stack.http.call('POST', '/schedules/tick/pause', {});
  await stack.http.jobIn(again.body.id, ['succeeded']);
  const raw = await rawJetStream(stack.nats.url);
  const dispatched = async () => {
    const { items } = (
      await stack.http.call<{ items: { state: string; jobId?: string }[] }>(
        'GET',
        '/schedules/tick/occurrences?limit=200',
      )
    ).body;
    expect(items.filter(({ state }) => state === 'due')).toEqual([]);
    return items.filter(({ state }) => state === 'dispatched').length;
  };
  // The last one may be committed and not published yet.
  const isDone = async () =>
    (await dispatched()) === hits(bench, '/tick') && (await raw.messages('JOBS')) === 0;
  await waitUntil('everything is done', isDone, { timeoutMs: 60_000 });
  await raw.close();
  const once = [
    ...taken,
    ...later.map((_, index) => `/later/${index}`),
    '/parent',
    '/parent/child',
    '/again',
  ];
  expect(once.filter((path) => hits(bench, path) !== 1)).toEqual([]);
  expect([1, 2, 3].map((one) => hits(bench, `/running/${one}`))).toEqual([1, 1, 1]);
  expect([hits(bench, '/retrying'), hits(bench, '/refused')]).toEqual([2, 0]);
  expect(await dispatched()).toBe(hits(bench, '/tick'));
}, 180_000);

test('EVENTS is full while PostgreSQL is away: nobody begins what could not be told, and history catches up', async () => {
  const bench = await startStorageBench({ env: { JETBEAT_STORAGE_EVENTS: '4MiB' } });
  const { stack, client, ledger, bus } = bench;
  const path = (index: number) => `/bulky/${index}`;
  const jobs = Array.from({ length: 400 }, (_, index) => ({ bytes: 16_000, url: ledger.url + path(index) }));
  expect(await client.enqueueMany('test.bulky', jobs)).toHaveLength(400);
  await waitUntil('they are recorded', async () => (await eventsState(bus)).pending === 0);
  stack.postgres.kill();
  await stack.postgres.exited;
  // It needs no PostgreSQL, not even to start.
  const worker = await stack.start('worker', { env: tasks });
  let taken = 0;
  const refusal = await waitUntil('new jobs are refused', () =>
    client.enqueue('test.wait', { ms: 1, url: `${ledger.url}/probe/${taken}` }).then(
      () => void taken++,
      (error: EnqueueError) => error,
    ),
  );
  expect(refusal).toMatchObject({ code: 'storage_full' });
  expect(refusal.message).toContain('% full (');
  expect(refusal.message).toContain('see that PostgreSQL and a recorder run');

  await waitUntil('EVENTS has no room', () => worker.output().includes('events cannot be stored now'));
  const { bytes } = await eventsState(bus);
  expect(bytes).toBeGreaterThan(0.9 * 4 * 1024 ** 2);
  // What it holds is bounded, so it stands still; two looks, ten times as far apart as a job takes, see the same.
  let seen = -1;
  await waitUntil(
    'the worker stands still',
    () => {
      const before = seen;
      seen = ledger.effects.size;
      return seen === before;
    },
    { everyMs: 1_000 },
  );
  expect(seen).toBeLessThan(400);

  await stack.killPostgres();
  await ledger.distinct(400 + taken, 60_000);
  const raw = await rawJetStream(stack.nats.url);
  await waitUntil('all are settled', async () => (await raw.messages('JOBS')) === 0);
  await raw.close();
  expect([...ledger.effects.values()].filter(({ arrivals }) => arrivals.length !== 1)).toEqual([]);
  await waitUntil('history has caught up', async () => {
    const { lastSeq, recordedUpTo } = await eventsState(bus);
    return recordedUpTo >= lastSeq;
  });
  const db = await openDatabase({ url: stack.postgres.url, applicationName: 'test' });
  onTestFinished(() => db.close());
  const { jobs: rows } = await listJobs(db, { limit: 1_000 });
  expect(rows.filter(({ state }) => state === 'succeeded')).toHaveLength(400 + taken);
  expect(rows).toHaveLength(400 + taken);
  expect(rows.filter(({ attempts }) => attempts.length !== 1)).toEqual([]);
  await client.enqueue('test.wait', { ms: 1, url: `${ledger.url}/after` });
  await waitUntil('a new one runs', () => hits(bench, '/after') === 1);
}, 180_000);
