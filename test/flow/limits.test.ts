import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import type { Job } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { byName, type HoldLedger, mostAtOnce, mostBegunIn, startHoldLedger } from '../support/hold-ledger.ts';
import { fails, hold, parentOf } from '../support/hold-task.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const KEYS = 10;
const JOBS = 300;
const RETRYING = 300;
const env = {
  JETBEAT_TASKS: join(import.meta.dirname, '../support/hold-task.ts'),
  JETBEAT_CONCURRENCY: '10',
};

let stack: Stack;
let client: Client;
let ledger: HoldLedger;

beforeAll(async () => {
  ledger = await startHoldLedger();
  stack = await startStack();
  await Promise.all([stack.start('recorder'), stack.start('api'), stack.start('scheduler')]);
  client = await connect({ servers: stack.nats.url });
}, 90_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

const ended = (count: number, timeoutMs = 60_000) =>
  waitUntil(
    `${count} runs have ended`,
    async () => (await ledger.runs()).filter(({ to }) => Number.isFinite(to)).length >= count,
    { timeoutMs, everyMs: 250 },
  );
const history = (id: string) => stack.http.job(id) as unknown as Promise<Job>;

test('of one key one job runs at a time, over several workers; the others wait, and history says for what', async () => {
  const key = { concurrencyKey: 'host-7' };
  const input = (ms: number) => ({ file: ledger.file, name: 'host-7', ms });
  const [first, second] = [
    await client.enqueue(hold, input(3_000), key),
    await client.enqueue(hold, input(1), key),
  ];
  const workers = Promise.all([stack.start('worker', { env }), stack.start('worker', { env })]);
  const waiting = await waitUntil('one is parked', async () => {
    const jobs = await Promise.all([first, second].map(({ id }) => history(id).catch(() => undefined)));
    return jobs.find((job) => job?.state === 'parked');
  });
  const [other] = [first, second].filter(({ id }) => id !== waiting.id);
  const text = `waits for key host-7: 1 of 1 slot is taken, by job ${other?.id}`;
  expect(waiting.reason).toEqual({ code: 'key', text });
  await workers;
  await ended(2);
  expect(mostAtOnce(await ledger.runs())).toBe(1);
  for (const { id } of [first, second])
    await waitUntil('it has succeeded', async () => (await history(id)).state === 'succeeded');
}, 60_000);

test(`${JOBS} jobs over ${KEYS} keys with one slot each: never two of a key at once, and all run once`, async () => {
  const before = (await ledger.runs()).length;
  const began = Date.now();
  await client.enqueueMany(
    hold,
    Array.from({ length: JOBS }, (_, index) => ({
      input: { file: ledger.file, name: `many-${index % KEYS}`, ms: 20 },
      options: { concurrencyKey: `many-${index % KEYS}` },
    })),
  );
  await ended(before + JOBS);
  const runs = (await ledger.runs()).filter(({ name }) => name.startsWith('many-'));
  expect(runs).toHaveLength(JOBS);
  expect(new Set(runs.map(({ job }) => job)).size).toBe(JOBS);
  const most = [...byName(runs).values()].map(mostAtOnce);
  expect(most).toEqual(Array.from({ length: KEYS }, () => 1));
  console.info(`${JOBS} jobs over ${KEYS} keys in ${Date.now() - began} ms`);
}, 90_000);

test('of a queue with a concurrency so many jobs run over all workers, all slots are used, and a change holds at once', async () => {
  const set = (concurrency: number | null) => stack.http.call('PUT', '/queues/narrow', { concurrency });
  expect((await set(3)).status).toBeLessThan(300);
  const narrow = { env: { ...env, JETBEAT_QUEUES: 'narrow' } };
  await Promise.all([stack.start('worker', narrow), stack.start('worker', narrow)]);
  const make = (name: string, count: number, ms: number) =>
    client.enqueueMany(
      hold,
      Array.from({ length: count }, () => ({
        input: { file: ledger.file, name, ms },
        options: { queue: 'narrow' },
      })),
    );
  const runsOf = async (name: string) => (await ledger.runs()).filter((run) => run.name === name);
  const allEnded = (name: string, count: number) =>
    waitUntil('all have ended', async () => {
      const runs = await runsOf(name);
      return runs.length === count && runs.every(({ to }) => Number.isFinite(to)) && runs;
    });

  await make('three', 30, 200);
  expect(mostAtOnce(await allEnded('three', 30))).toBe(3);

  expect(await set(6)).toMatchObject({ status: 200 });
  await make('six', 60, 200);
  const six = await allEnded('six', 60);
  expect(mostAtOnce(six)).toBe(6);

  await make('lower', 40, 200);
  await waitUntil('some run', async () => (await runsOf('lower')).length >= 6);
  expect(await set(2)).toMatchObject({ status: 200 });
  const from = Date.now() + 2_000;
  const lower = await allEnded('lower', 40);
  expect(mostAtOnce(lower.filter((run) => run.from > from))).toBe(2);

  expect(await set(null)).toMatchObject({ status: 200 });
  await make('open', 40, 300);
  expect(mostAtOnce(await allEnded('open', 40))).toBeGreaterThan(6);
}, 90_000);

test('jobs that wait for their next try do not hold up a queue of concurrency 2', async () => {
  expect((await stack.http.call('PUT', '/queues/narrow', { concurrency: 2 })).status).toBeLessThan(300);
  const options = { queue: 'narrow', retry: { attempts: 2, delay: '5m', backoff: 'fixed' as const } };
  await client.enqueueMany(
    fails,
    Array.from({ length: RETRYING }, (_, index) => ({
      input: { file: ledger.file, name: `fails-${index}` },
      options,
    })),
  );
  const failed = async () => (await ledger.runs()).filter(({ name }) => name.startsWith('fails-')).length;
  await waitUntil('all have failed once', async () => (await failed()) === RETRYING, {
    timeoutMs: 90_000,
    everyMs: 250,
  });
  const began = Date.now();
  await client.enqueue(hold, { file: ledger.file, name: 'after', ms: 1 }, { queue: 'narrow' });
  await waitUntil('the next one has run', async () =>
    (await ledger.runs()).some(({ name }) => name === 'after'),
  );
  // Far less than their delay.
  expect(Date.now() - began).toBeLessThan(15_000);
  expect(
    mostAtOnce((await ledger.runs()).filter(({ name }) => name.startsWith('fails-'))),
  ).toBeLessThanOrEqual(2);
}, 120_000);

test('of a queue with a rate no more begin in any period than its limit and its burst, over several workers', async () => {
  const rateLimit = { limit: 20, period: '1s', burst: 5 };
  expect((await stack.http.call('PUT', '/queues/paced', { rateLimit })).status).toBeLessThan(300);
  const paced = { env: { ...env, JETBEAT_QUEUES: 'paced' } };
  await Promise.all([stack.start('worker', paced), stack.start('worker', paced)]);
  const input = { file: ledger.file, name: 'paced', ms: 1 };
  await client.enqueueMany(
    hold,
    Array.from({ length: 100 }, () => ({ input, options: { queue: 'paced' } })),
  );
  const begun = async () => (await ledger.runs()).filter(({ name }) => name === 'paced');
  const all = async () => (await begun()).length === 100;
  await waitUntil('all have run', all, { timeoutMs: 40_000, everyMs: 250 });
  const runs = await begun();
  // A start may be used 100 ms late, a handler begins a little after; what is too fast by less than these is seen by the span below.
  const most = mostBegunIn(runs, 1_000 - 150);
  expect(most).toBeLessThanOrEqual(20 + 5);
  const times = runs.map(({ from }) => from);
  const span = Math.max(...times) - Math.min(...times);
  expect(span).toBeGreaterThan(((100 - 5) / 20) * 1_000 - 300);
  console.info(`100 starts at 20 per s took ${span} ms, at most ${most} in a second`);
}, 90_000);

test('a queue in which as many jobs wait as may takes no more, from a client or by the API; others go on', async () => {
  const maxDepth = 5;
  expect((await stack.http.call('PUT', '/queues/shallow', { maxDepth })).status).toBeLessThan(300);
  const shallow = () =>
    client.enqueue(hold, { file: ledger.file, name: 'shallow', ms: 1 }, { queue: 'shallow' });
  for (let made = 0; made < maxDepth; made++) await shallow();
  const refusal = await waitUntil('it is full', () =>
    shallow().then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  expect(refusal).toMatchObject({
    code: 'queue_full',
    message: expect.stringMatching(/the queue shallow is full: \d+ jobs wait/),
  });
  const job = { task: 'system.echo', input: 1 };
  expect(await stack.http.call('POST', '/jobs', { ...job, queue: 'shallow' })).toMatchObject({
    status: 503,
    body: { code: 'queue_full' },
  });
  expect(await stack.http.call('POST', '/jobs', job)).toMatchObject({ status: 202 });
  await client.enqueueMany(hold, [{ file: ledger.file, name: 'others', ms: 1 }]);

  expect(await stack.http.call('PATCH', '/queues/shallow', { maxDepth: null })).toMatchObject({
    status: 200,
  });
  await waitUntil('it takes jobs again', () =>
    shallow().then(
      () => true,
      () => false,
    ),
  );
}, 60_000);

test('a key is taken from the API, from a schedule and from ctx.enqueue, and what is wrong is named', async () => {
  await stack.start('worker', { env });
  const key = { key: 'shared', limit: 2 };
  const input = (name: string, ms: number) => ({ file: ledger.file, name, ms });
  const holders = await client.enqueueMany(
    hold,
    ['first', 'second'].map((name) => ({ input: input(name, 15_000), options: { concurrencyKey: key } })),
  );
  expect(holders).toHaveLength(2);
  await waitUntil('both run', async () => {
    const names = new Set((await ledger.runs()).map(({ name }) => name));
    return names.has('first') && names.has('second');
  });

  const job = { task: 'test.hold', input: input('late', 1), concurrencyKey: key };
  const at = new Date(Date.now() + 1_500).toISOString();
  const schedule = { name: 'keyed', when: { at }, job };
  expect(await stack.http.call('POST', '/schedules', schedule)).toMatchObject({ status: 201, body: { job } });
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const plain = { name: 'plain', when: { at: later }, job: { ...job, concurrencyKey: 'alone' } };
  expect(await stack.http.call('POST', '/schedules', plain)).toMatchObject({
    status: 201,
    body: { job: { concurrencyKey: 'alone' } },
  });
  const posted = await stack.http.call<{ id: string }>('POST', '/jobs', job);
  const parent = await client.enqueue(parentOf, { child: input('late', 1), concurrencyKey: key });
  const reasonOf = async (id: string) => (await history(id).catch(() => undefined))?.reason;
  await waitUntil('the posted one waits', async () => (await reasonOf(posted.body.id))?.code === 'key');
  const fired = await waitUntil('the scheduled one waits', async () => {
    const { body } = await stack.http.call<{ items: Job[] }>('GET', '/jobs?schedule=keyed&state=parked');
    return body.items[0];
  });
  expect(fired.reason?.code).toBe('key');
  const child = await waitUntil(
    'the parent is done',
    async () => (await history(parent.id).catch(() => undefined))?.result,
  );
  await waitUntil('its child waits', async () => (await reasonOf(String(child)))?.code === 'key');

  for (const wrong of ['', { limit: 2 }, { key: 'a', limit: 0 }, { key: 'a', most: 1 }, 7]) {
    const refused = await stack.http.call('POST', '/jobs', { ...job, concurrencyKey: wrong });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    const call = client.enqueue(hold, input('wrong', 1), { concurrencyKey: wrong as string });
    await expect(call).rejects.toMatchObject({ code: 'invalid_input' });
  }
}, 90_000);
