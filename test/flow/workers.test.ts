import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { WorkerJson, WorkerTold } from '@jetbeat/core/http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startToldWorkers, type ToldWorkers } from '../support/told-workers.ts';
import { waitIn } from '../support/wait-in-worker.ts';
import { waitUntil } from '../support/wait-until.ts';

let workers: ToldWorkers;
beforeAll(async () => {
  workers = await startToldWorkers();
}, 90_000);
afterEach(() => workers.endWorkers(), 60_000);
afterAll(() => workers?.stop(), 60_000);

test('a drained worker takes nothing new and ends what it has, and can be told to go on', async () => {
  const { http, gates, file, start, get, tell, holds, ranAt } = workers;
  const { id } = await start();
  const first = await holds('drain', 2);
  await gates.until('/drain', 2);
  expect(await tell(id, 'drain')).toMatchObject({
    id,
    state: 'draining',
    changed: true,
    running: 2,
    held: 2,
  });
  expect(await tell(id, 'drain')).toMatchObject({ state: 'draining', changed: false });
  const [later = ''] = await holds('drain-later', 1);
  gates.open('/drain');
  for (const job of first) expect(await ranAt(job)).toEqual([id]);
  const empty = await waitUntil('it has nothing', async () => {
    const now = await get(id);
    return now.held === 0 && now;
  });
  expect(empty).toMatchObject({ state: 'draining', queues: ['default'], running: 0, jobs: [] });
  await waitUntil('the list says so too', async () => {
    const { body } = await http.call<{ items: WorkerJson[] }>('GET', '/workers?state=draining');
    return body.items.some((worker) => worker.id === id);
  });
  await waitUntil('whoever asks for a job is told that nobody takes it', async () => {
    const far = { task: 'test.stamp', input: { file, name: 'far', ms: 0 }, delay: '1h' };
    const { body } = await http.call<{ warnings: { code: string }[] }>('POST', '/jobs', far);
    return body.warnings.some(({ code }) => code === 'no_worker');
  });
  expect((await http.job(later)).state).toBe('queued');
  expect(gates.entered('/drain-later')).toBe(0);

  const other = await start();
  await gates.until('/drain-later', 1);
  await tell(other.id, 'drain');
  expect(await tell(id, 'resume')).toMatchObject({ state: 'running', changed: true });
  const [last = ''] = await holds('drain-last', 1);
  gates.open('/drain-later');
  gates.open('/drain-last');
  expect(await ranAt(later)).toEqual([other.id]);
  expect(await ranAt(last)).toEqual([id]);
}, 60_000);

test('another concurrency holds at once, upwards and downwards, and is shown', async () => {
  const { http, gates, start, get, tell, holds, ranAt } = workers;
  const { id } = await start({ JETBEAT_CONCURRENCY: '1' });
  await holds('wide', 3);
  await gates.until('/wide', 1);
  expect(await tell(id, 'concurrency', { value: 3 })).toMatchObject({ concurrency: 3, changed: true });
  await gates.until('/wide', 3);
  expect(await get(id)).toMatchObject({ concurrency: 3, running: 3, state: 'running' });
  expect(await tell(id, 'concurrency', { value: 1 })).toMatchObject({ concurrency: 1, running: 3 });
  const narrow = await holds('narrow', 2);
  gates.open('/wide');
  await gates.until('/narrow', 1);
  await waitUntil('only one runs', async () => (await get(id)).running === 1);
  await waitUntil('the list says so too', async () => {
    const { body } = await http.call<{ items: WorkerJson[] }>('GET', '/workers');
    return body.items.find((worker) => worker.id === id)?.concurrency === 1;
  });
  expect(gates.entered('/narrow')).toBe(1);
  gates.open('/narrow');
  for (const job of narrow) expect(await ranAt(job)).toEqual([id]);
  for (const value of [0, 10_001, '3'])
    expect((await http.call('POST', `/workers/${id}/concurrency`, { value })).status).toBe(400);
}, 60_000);

test('other queues are served at once, and what waits here of one that is left goes to others', async () => {
  const { http, gates, start, get, tell, holds, ranAt } = workers;
  const { id } = await start({ JETBEAT_CONCURRENCY: '1' });
  const [early = ''] = await holds('early', 1, 'media');
  gates.open('/early');
  expect(await tell(id, 'queues', { add: ['media'] })).toMatchObject({ queues: ['default', 'media'] });
  expect(await ranAt(early)).toEqual([id]);
  const { own, others: media, gate } = await waitIn(workers, { id, name: 'media', count: 4, queue: 'media' });
  const [first, ...rest] = (await get(id)).jobs ?? [];
  expect([first?.id, first?.startedAt === undefined]).toEqual([own, false]);
  expect(rest.every(({ startedAt, queue }) => startedAt === undefined && queue === 'media')).toBe(true);
  const left = await tell(id, 'queues', { remove: ['media'] });
  expect(left).toMatchObject({ queues: ['default'], changed: true });
  expect(left.givenBack).toBeGreaterThanOrEqual(1);
  await waitUntil('only one is left', async () => (await get(id)).held === 1);
  gates.open(`/${gate}-later`);
  const other = await start({ JETBEAT_QUEUES: 'media' });
  for (const job of media) expect(await ranAt(job)).toEqual([other.id]);
  // What still runs here is asked for here, though its queue is served no more.
  expect([200, 202]).toContain((await http.call('POST', `/jobs/${own}/cancel`, {})).status);
  expect((await http.jobIn(own, ['cancelled'])).attempts.map(({ workerId }) => workerId)).toEqual([id]);
  await waitUntil('the list names one queue', async () => {
    const { body } = await http.call<{ items: WorkerJson[] }>('GET', '/workers?queue=default');
    return body.items.find((worker) => worker.id === id)?.queues.length === 1;
  });
  const none = await http.call('POST', `/workers/${id}/queues`, { remove: ['default'] });
  expect(none).toMatchObject({ status: 409, body: { code: 'worker_refuses' } });
  expect((await http.call('POST', `/workers/${id}/queues`, { add: ['no/queue'] })).status).toBe(400);
}, 60_000);

test('a stopped worker gives back what has not begun, ends what runs, and its process ends', async () => {
  const { http, gates, file, start, get, tell, ranAt } = workers;
  const { app, id } = await start({ JETBEAT_CONCURRENCY: '1', JETBEAT_DRAIN: '40s' });
  const { own, others, gate } = await waitIn(workers, { id, name: 'stop', count: 3 });
  const told = await tell(id, 'stop');
  expect(told).toMatchObject({ state: 'stopping', changed: true, running: 1 });
  expect(told.givenBack).toBeGreaterThanOrEqual(1);
  gates.open(`/${gate}-later`);
  const other = await start();
  for (const job of others) expect(await ranAt(job)).toEqual([other.id]);
  gates.open(`/${gate}`);
  expect(await ranAt(own)).toEqual([id]);
  expect(await app.exited).toBe(0);
  const stopped = await waitUntil('history knows', async () => {
    const now = await get(id);
    return now.state === 'stopped' && now;
  });
  expect(stopped).not.toHaveProperty('jobs');
  const again = await http.call('POST', `/workers/${id}/stop`, {});
  expect(again).toMatchObject({ status: 409, body: { code: 'worker_gone' } });
  type Rows = { items: { action: string; after: unknown }[] };
  const audit = await http.call<Rows>('GET', `/audit?target=worker:${id}`);
  // Newest first: it was told in vain once it was gone; who tells is written down before anything can happen.
  expect(audit.body.items.map(({ action }) => action)).toEqual([
    'worker.stop',
    'worker.changed',
    'worker.stop',
  ]);
  expect(audit.body.items.map(({ after }) => after)).toMatchObject([
    { told: { do: 'stop' } },
    { stopping: true },
    { told: { do: 'stop' } },
  ]);
  const begun = (await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith(`${gate}-`));
  expect(begun.length).toBe(4);
}, 60_000);

test('of a queue with a concurrency, slots of a worker that drains or stops go to others at once, and what it has to give up runs there', async () => {
  const { http, gates, start, tell, holds, ranAt } = workers;
  expect((await http.call('PUT', '/queues/narrow', { concurrency: 2 })).status).toBeLessThan(300);
  const narrow = { JETBEAT_QUEUES: 'narrow', JETBEAT_CONCURRENCY: '4' };
  const first = await start(narrow);
  const own = [...(await holds('one', 1, 'narrow')), ...(await holds('two', 1, 'narrow'))];
  await Promise.all(['/one', '/two'].map((path) => gates.until(path, 1)));
  const second = await start({ ...narrow, JETBEAT_DRAIN: '40s' });
  expect(await tell(first.id, 'drain')).toMatchObject({ state: 'draining', running: 2 });
  const next = [...(await holds('three', 1, 'narrow')), ...(await holds('four', 1, 'narrow'))];
  gates.open('/one');
  await Promise.race(['/three', '/four'].map((path) => gates.until(path, 1)));
  expect(gates.entered('/three') + gates.entered('/four')).toBe(1);
  gates.open('/two');
  await Promise.all(['/three', '/four'].map((path) => gates.until(path, 1)));
  for (const job of own) expect(await ranAt(job)).toEqual([first.id]);

  // One of its two jobs ends, and it waits for the other: that must not hold up two slots.
  const third = await start({ ...narrow, JETBEAT_DRAIN: '500ms' });
  expect(await tell(second.id, 'stop')).toMatchObject({ state: 'stopping', running: 2 });
  const last = await holds('five', 2, 'narrow');
  gates.open('/three');
  await gates.until('/five', 1);
  gates.open('/four');
  await gates.until('/five', 2);
  for (const job of next) expect(await ranAt(job)).toEqual([second.id]);
  expect(await second.app.exited).toBe(0);

  // These do not end in time.
  await tell(third.id, 'stop');
  await tell(first.id, 'resume');
  await gates.until('/five', 4);
  expect(await third.app.exited).toBe(0);
  gates.open('/five');
  for (const job of last) expect((await ranAt(job)).at(-1)).toBe(first.id);
}, 60_000);

test('a worker that does not answer is told apart from one that is not there', async () => {
  const { http, start, get } = workers;
  const { app, id } = await start();
  process.kill(app.pid, 'SIGSTOP');
  const silent = await http.call('POST', `/workers/${id}/drain`, {});
  expect(silent).toMatchObject({ status: 503, body: { code: 'workers_silent' } });
  expect(silent.headers.get('retry-after')).toBe('2');
  const audit = await http.call<{ items: { action: string }[] }>('GET', `/audit?target=worker:${id}`);
  expect(audit.body.items.map(({ action }) => action)).toEqual(['worker.drain']);
  await waitUntil('it counts as silent', async () => (await get(id)).state === 'silent', {
    timeoutMs: 10_000,
  });
  // It never goes on.
  await app.kill();
  const gone = await http.call('POST', `/workers/${id}/drain`, {});
  expect(gone).toMatchObject({ status: 409, body: { code: 'worker_gone' } });
  for (const path of ['/workers/none', '/workers/none/drain'])
    expect(
      await http.call(path.endsWith('drain') ? 'POST' : 'GET', path, path.endsWith('drain') ? {} : undefined),
    ).toMatchObject({ status: 404, body: { code: 'worker_not_found' } });
}, 60_000);

test('the calls on the page do what it says', async () => {
  const { start, tell } = workers;
  const { app, id } = await start({ JETBEAT_QUEUES: 'default,mail' });
  const text = await readFile(resolve(import.meta.dirname, '../../docs/workers.md'), 'utf8');
  const calls = [
    ...text.matchAll(/^curl -X POST \$JETBEAT_URL\/api\/v1\/workers\/\$WORKER\/(\S+) .*-d '([^']+)'$/gm),
  ];
  const told: WorkerTold[] = [];
  for (const [, verb = '', body = ''] of calls) told.push(await tell(id, verb, JSON.parse(body) as object));
  expect(told.map(({ state, changed }) => [state, changed])).toEqual([
    ['draining', true],
    ['running', true],
    ['running', true],
    ['running', true],
    ['stopping', true],
  ]);
  expect(told.at(-1)).toMatchObject({ concurrency: 20, queues: ['default', 'media'] });
  expect(await app.exited).toBe(0);
}, 60_000);
