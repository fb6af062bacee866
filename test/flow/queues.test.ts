import { join } from 'node:path';
import type { Queue } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { AppProcess } from '../support/app-process.ts';
import { type FileLedger, startFileLedger } from '../support/file-ledger.ts';
import { waitUntil } from '../support/wait-until.ts';

const worker = {
  JETBEAT_TASKS: join(import.meta.dirname, 'queue-tasks.ts'),
  JETBEAT_QUEUES: 'default,mail',
  JETBEAT_CONCURRENCY: '2',
};
let group: AppGroup;
let ledger: FileLedger;
let apps: Record<'api' | 'recorder' | 'worker', AppProcess>;

beforeAll(async () => {
  ledger = await startFileLedger();
  group = await startAppGroup({ JETBEAT_ACK_WAIT: '2s' });
  const [api, recorder] = await Promise.all([group.start('api'), group.start('recorder')]);
  apps = { api, recorder, worker: await group.start('worker', worker) };
}, 90_000);
afterAll(async () => {
  await group?.stop();
  await ledger?.stop();
}, 60_000);

async function queue(method: string, path: string, body?: object): Promise<Queue> {
  const answer = await group.http.call<Queue>(method, `/queues${path}`, body);
  // Of a queue that no worker was seen at yet it is 201.
  expect([200, 201], JSON.stringify(answer.body)).toContain(answer.status);
  return answer.body;
}

async function enqueue(name: string, ms = 0, more: object = {}): Promise<string> {
  const body = { task: 'test.stamp', queue: 'mail', input: { file: ledger.file, name, ms }, ...more };
  const answer = await group.http.call<{ id: string }>('POST', '/jobs', body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body.id;
}

/** When each job began that was written down, by its name. */
async function starts(prefix: string): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const line of (await ledger.read()).keys()) {
    const [name = '', at = ''] = line.split(' ');
    if (name.startsWith(prefix)) found.set(name, [...(found.get(name) ?? []), Number(at)]);
  }
  return found;
}

test('a queue is made at run time, changed by its version, and shown with who serves it', async () => {
  const made = await queue('PUT', '/mail', { maxDepth: 1_000, rateLimit: { limit: 5_000, period: '1m' } });
  expect(made).toMatchObject({
    name: 'mail',
    concurrency: null,
    maxDepth: 1_000,
    rateLimit: { limit: 5_000, period: '1m', per: 'queue' },
    configured: { concurrency: null, rateLimit: null, maxDepth: null },
    paused: null,
    purge: null,
  });
  // What goes on in a queue is looked at twice a second, and not known where NATS takes its time.
  await expect
    .poll(() => queue('GET', '/mail'))
    .toMatchObject({ waiting: { high: 0, normal: 0, low: 0 }, oldestMs: null });
  const stale = { maxDepth: 5, version: made.version - 1 };
  expect(await group.http.call('PATCH', '/queues/mail', stale)).toMatchObject({
    status: 409,
    body: { code: 'queue_changed' },
  });
  const changed = await queue('PATCH', '/mail', { rateLimit: null, version: made.version });
  expect(changed).toMatchObject({ rateLimit: null, maxDepth: 1_000, version: made.version + 1 });
  expect(await queue('PUT', '/mail', {})).toMatchObject({ maxDepth: null });
  await waitUntil('its worker is shown', async () => (await queue('GET', '/mail')).workers.length === 1);
  const { items } = await queue('GET', '').then((body) => body as unknown as { items: Queue[] });
  expect(items.map(({ name }) => name)).toEqual(['default', 'mail']);
  for (const path of ['/queues/none', '/queues/no.name'])
    expect(await group.http.call('GET', path)).toMatchObject({
      status: 404,
      body: { code: 'queue_not_found' },
    });
  expect(await group.http.call('POST', '/queues/none/pause', {})).toMatchObject({ status: 404 });
  const wrong = { rateLimit: { limit: 1, period: '1ms' } };
  expect(await group.http.call('PUT', '/queues/mail', wrong)).toMatchObject({ status: 400 });
});

test('of a paused queue nothing begins, through the death of every process; each job runs once after it', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `paused-${index}`);
  await Promise.all(names.map((name) => enqueue(name, 50)));
  await waitUntil('some have begun', async () => (await starts('paused-')).size > 5);
  const paused = await queue('POST', '/mail/pause', { note: 'mail is down' });
  expect(paused.paused).toMatchObject({ note: 'mail is down', until: null });
  expect(await queue('POST', '/mail/pause', {})).toMatchObject({
    version: paused.version,
    paused: { note: 'mail is down' },
  });
  await waitUntil('what was fetched is given back', async () => {
    const { held, waiting } = await queue('GET', '/mail');
    // All have begun where the machine took its time over the pause.
    return held === 0 && ((waiting?.normal ?? 0) > 0 || (await starts('paused-')).size === names.length);
  });
  const givenBack = Date.now();
  await enqueue('paused-later');
  await Promise.all([apps.worker.kill(), apps.recorder.kill(), apps.api.kill()]);
  const [api, recorder] = await Promise.all([group.start('api'), group.start('recorder')]);
  apps = { api, recorder, worker: await group.start('worker', worker) };
  const other = await enqueue('other', 0, { queue: 'default' });
  await group.http.jobIn(other, ['succeeded']);
  expect((await queue('GET', '/mail')).paused).toMatchObject({ note: 'mail is down' });
  for (const [at = 0] of (await starts('paused-')).values()) expect(at).toBeLessThanOrEqual(givenBack);
  const before = (await starts('paused-')).size;
  expect(before).toBeLessThan(61);
  await queue('POST', '/mail/resume', {});
  await waitUntil('all have run', async () => (await starts('paused-')).size === 61);
  const twice = [...(await starts('paused-')).entries()].filter(([, times]) => times.length > 1);
  expect(twice).toEqual([]);
}, 90_000);

test('a pause with an end ends by itself', async () => {
  const until = Date.now() + 1_500;
  const { paused } = await queue('POST', '/mail/pause', { until: new Date(until).toISOString() });
  expect(paused?.until).toBe(new Date(until).toISOString());
  await enqueue('until');
  await waitUntil('it has run', async () => (await starts('until')).size === 1);
  const [at = 0] = (await starts('until')).get('until') ?? [];
  expect(at).toBeGreaterThanOrEqual(until);
  expect((await queue('GET', '/mail')).paused).toBeNull();
  const over = { until: new Date(Date.now() - 1_000).toISOString() };
  expect(await group.http.call('POST', '/queues/mail/pause', over)).toMatchObject({ status: 400 });
});

test('what waits is counted by priority, with the oldest; what was done lately is too', async () => {
  await group.http.jobIn(await enqueue('depth-0'), ['succeeded']);
  await queue('POST', '/mail/pause', {});
  await Promise.all([
    enqueue('depth-1', 0, { priority: 'high' }),
    enqueue('depth-2'),
    enqueue('depth-3', 0, { delay: '1h' }),
  ]);
  const full = await waitUntil('they are counted', async () => {
    const found = await queue('GET', '/mail');
    const { waiting, held, scheduled } = found;
    // What met a pull from before the pause was handed out, and given back.
    const { high = 0, normal = 0 } = waiting ?? {};
    return high + normal + (held ?? 0) === 2 && scheduled === 1 && found;
  });
  expect(full).toMatchObject({ running: 0, retrying: 0, parked: {}, capped: [] });
  // The last pull from before is over after five seconds; what comes then waits.
  const isShown = async () => {
    await enqueue('depth-4', 0, { priority: 'low' });
    const { waiting, oldestMs } = await queue('GET', '/mail');
    return (waiting?.low ?? 0) > 0 && (oldestMs ?? 0) > 0;
  };
  await waitUntil('the oldest is shown', isShown, { everyMs: 1_000 });
  await waitUntil('the rate is known', async () => (await queue('GET', '/mail')).perMinute.succeeded > 0, {
    timeoutMs: 40_000,
  });
}, 60_000);
