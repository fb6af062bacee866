import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import type { Job } from '@jetbeat/core/http';
import type { Task } from '@jetbeat/task';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import {
  type HeldRun,
  type HoldLedger,
  longestGap,
  mostAtOnce,
  mostBegunIn,
  spanOf,
  startHoldLedger,
} from '../support/hold-ledger.ts';
import { few, mail, plain, quick, snapshot } from '../support/paced-tasks.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const YAML = `
tasks:
  paced.plai*: { rateLimit: { limit: 8, period: 1s } }
`;

let dir: string;
let stack: Stack;
let client: Client;
let ledger: HoldLedger;
let workers: AppProcess[];

beforeAll(async () => {
  ledger = await startHoldLedger();
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-rates-'));
  await writeFile(join(dir, 'jetbeat.yaml'), YAML);
  stack = await startStack({ env: { JETBEAT_CONFIG: join(dir, 'jetbeat.yaml') } });
  await Promise.all([stack.start('recorder'), stack.start('api')]);
  client = await connect({ servers: stack.nats.url });
  workers = await Promise.all([worker(), worker()]);
}, 90_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await ledger?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const worker = (env: Record<string, string> = {}) =>
  stack.start('worker', {
    env: {
      JETBEAT_TASKS: join(import.meta.dirname, '../support/paced-tasks.ts'),
      JETBEAT_QUEUES: 'default,counted',
      ...env,
    },
  });
const make = (
  task: typeof mail,
  name: string,
  count: number,
  options: { queue?: string; ms?: number; host?: string } = {},
) => {
  const { ms = 1, host, ...rest } = options;
  const input = { file: ledger.file, name, ms, ...(host === undefined ? {} : { host }) };
  return client.enqueueMany(
    task as Task<typeof input>,
    Array.from({ length: count }, () => ({ input, options: rest })),
  );
};
const runsOf = async (begins: string) => (await ledger.runs()).filter(({ name }) => name.startsWith(begins));
const allOf = (begins: string, count: number, timeoutMs = 40_000) =>
  waitUntil(
    `${count} of ${begins} have ended`,
    async () => {
      const runs = (await runsOf(begins)).filter(({ to }) => Number.isFinite(to));
      return runs.length >= count && runs;
    },
    { timeoutMs, everyMs: 100 },
  );
/** The most that began in any period; a start may be used 100 ms late, and a handler begins some milliseconds after that. */
const mostIn = (runs: readonly HeldRun[], periodMs: number) => mostBegunIn(runs, periodMs - 150);
const history = (id: string) => stack.http.job(id) as unknown as Promise<Job>;

test('of a task with a rate no more begin in any period than its limit and its burst, over several workers', async () => {
  await make(mail, 'mail', 25);
  // Each of them is parked for a while only, so all are asked for at once.
  const waiting = await waitUntil('one is parked', async () => {
    const { body } = await stack.http.call('GET', '/jobs?task=paced.mail&state=parked');
    return (body as { items: Job[] }).items[0];
  });
  expect(waiting.reason).toEqual({ code: 'rate', text: 'waits for the rate of task paced.mail: 10 per 1s' });
  await make(mail, 'late-mail', 1);
  await make(few, 'meanwhile', 1);
  const asked = Date.now();
  const [meanwhile] = await allOf('meanwhile', 1);
  const runs = await allOf('mail', 25);
  expect(runs).toHaveLength(25);
  expect(new Set(runs.map(({ pid }) => pid)).size).toBe(2);
  expect(mostIn(runs, 1_000)).toBeLessThanOrEqual(10 + 2);
  const span = spanOf(runs);
  expect(span).toBeGreaterThan(((25 - 2) / 10) * 1_000 - 300);
  // What came when others were parked goes behind them.
  const [late] = await allOf('late-mail', 1);
  expect(late?.from).toBeGreaterThanOrEqual(
    runs.toSorted((one, other) => one.from - other.from)[22]?.from ?? 0,
  );
  // Nor does it hold up another task; late that is where the machine was late.
  expect(meanwhile?.from).toBeLessThan(Math.max(late?.from ?? 0, asked + 2_000));
}, 60_000);

test('of a rate per key each key has its own, and one of a key runs at a time; the key is said by the task', async () => {
  const hosts = ['a', 'b', 'c'];
  await Promise.all(hosts.map((host) => make(snapshot, `host-${host}`, 8, { host, ms: 20 })));
  await Promise.all(hosts.map((host) => allOf(`host-${host}`, 8)));
  const spans = await Promise.all(
    hosts.map(async (host) => {
      const runs = await runsOf(`host-${host}`);
      expect(runs).toHaveLength(8);
      expect(mostAtOnce(runs)).toBe(1);
      expect(mostIn(runs, 1_000)).toBeLessThanOrEqual(5 + 1);
      return spanOf(runs);
    }),
  );
  for (const span of spans) expect(span).toBeGreaterThan((7 / 5) * 1_000 - 300);
  const all = await runsOf('host-');
  expect(spanOf(all)).toBeLessThan(2.5 * Math.max(...spans));
}, 60_000);

test('a task may say how many of its jobs run at once over all workers', async () => {
  await make(few, 'few', 24, { ms: 100 });
  const runs = await allOf('few', 24);
  expect(mostAtOnce(runs)).toBe(3);
  expect(new Set(runs.map(({ job }) => job)).size).toBe(24);
}, 60_000);

test('the configuration of a task says a rate, and a queue for those that say none', async () => {
  await make(plain, 'configured', 12);
  const runs = await allOf('configured', 12);
  expect(mostIn(runs, 1_000)).toBeLessThanOrEqual(8 + 1);
  expect(spanOf(runs)).toBeGreaterThan((11 / 8) * 1_000 - 300);

  const rateLimit = { limit: 10, period: '1s', per: 'task' };
  const { status, body } = await stack.http.call('PUT', '/queues/counted', { rateLimit });
  expect(status).toBeLessThan(300);
  expect(body).toMatchObject({ rateLimit });
  await make(few, 'of-queue', 15, { queue: 'counted' });
  const counted = await allOf('of-queue', 15);
  expect(mostIn(counted, 1_000)).toBeLessThanOrEqual(10 + 1);
  expect(spanOf(counted)).toBeGreaterThan((14 / 10) * 1_000 - 300);

  // Taken away while jobs wait for it.
  await make(few, 'slow', 1, { queue: 'counted' });
  expect(
    await stack.http.call('PUT', '/queues/counted', { rateLimit: { limit: 1, period: '1h', per: 'task' } }),
  ).toMatchObject({ status: 200 });
  // The first of them may still have begun under the rate before: a later one is parked, as history will tell.
  const asked: string[] = [];
  await waitUntil('it is slow', async () => {
    const [job] = await make(few, 'slow', 1, { queue: 'counted' });
    asked.push(job?.id ?? '');
    const jobs = await Promise.all(asked.map((id) => history(id).catch(() => undefined)));
    return jobs.some((one) => one?.state === 'parked');
  });
  const waiting = (await runsOf('slow')).length;
  expect(await stack.http.call('PATCH', '/queues/counted', { rateLimit: null })).toMatchObject({
    status: 200,
  });
  await allOf('slow', waiting + 1);
}, 60_000);

test('a rate of many in a second is kept up with', async () => {
  await make(quick, 'quick', 120);
  const runs = await allOf('quick', 120);
  expect(mostIn(runs, 1_000)).toBeLessThanOrEqual(60 + 1);
  // A turn that nobody used is over after ten seconds.
  expect(longestGap(runs)).toBeLessThan(5_000);
  expect(spanOf(runs)).toBeLessThan(10_000);
}, 60_000);

test('the limits of a task are changed at run time, over all workers, and given back', async () => {
  const before = await stack.http.call('GET', '/tasks/paced.plain');
  const configured = { rateLimit: { limit: 8, period: '1s', per: 'task' }, concurrencyKey: null };
  expect(before).toMatchObject({
    status: 200,
    body: { name: 'paced.plain', version: 0, ...configured, configured, queues: ['counted', 'default'] },
  });
  const rateLimit = { limit: 1, period: '1h', per: 'task' };
  const concurrencyKey = { key: 'plain', limit: 2 };
  const patch = (body: object) => stack.http.call('PATCH', '/tasks/paced.plain', body);
  expect(await patch({ rateLimit, concurrencyKey })).toMatchObject({
    status: 200,
    body: { version: 1, rateLimit, concurrencyKey, configured },
  });
  expect(await patch({ rateLimit: null, version: 0 })).toMatchObject({
    status: 409,
    body: { code: 'task_changed' },
  });
  for (const wrong of [
    { rateLimit: { limit: 1, period: '1ms' } },
    { concurrencyKey: { limit: 2 } },
    { rate: 1 },
  ])
    expect(await patch(wrong)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  expect(await stack.http.call('PATCH', '/tasks/no.such', {})).toMatchObject({
    status: 404,
    body: { code: 'task_not_found' },
  });
  const made = await make(plain, 'changed', 16, { ms: 300 });
  const parked = async () => {
    const jobs = await Promise.all(made.map(({ id }) => history(id).catch(() => undefined)));
    return jobs.filter((job) => job?.state === 'parked');
  };
  await waitUntil('nearly all are parked', async () => (await parked()).length >= 15);
  const text = 'waits for the rate of task paced.plain: 1 per 1h';
  expect((await parked())[0]?.reason).toEqual({ code: 'rate', text });

  expect(await patch({ rateLimit: { limit: 1_000, period: '1s' } })).toMatchObject({ status: 200 });
  const runs = await allOf('changed', 16, 20_000);
  // What was parked for the rate keeps to the key all the same.
  expect(mostAtOnce(runs)).toBe(2);
  expect(await patch({ rateLimit: null, concurrencyKey: null })).toMatchObject({
    status: 200,
    body: { version: 3, ...configured },
  });
  expect(await stack.http.call('GET', '/tasks')).toMatchObject({
    body: { items: expect.arrayContaining([expect.objectContaining({ name: 'paced.plain', version: 3 })]) },
  });
}, 60_000);

test('jobs of a rate go on when the workers that parked them were killed, by what was said meanwhile', async () => {
  const say = (limit: number, period: string) =>
    stack.http.call('PATCH', '/tasks/paced.plain', { rateLimit: { limit, period } });
  expect(await say(1, '1h')).toMatchObject({ status: 200 });
  const made = await make(plain, 'orphan', 12);
  const states = async () => {
    const jobs = await Promise.all(made.map(({ id }) => history(id).catch(() => undefined)));
    return jobs.map((job) => job?.state);
  };
  await waitUntil(
    'nearly all are parked',
    async () => (await states()).filter((state) => state === 'parked').length >= 11,
  );
  await Promise.all(workers.map((one) => one.kill()));
  expect(await say(10, '1s')).toMatchObject({ status: 200 });
  workers = await Promise.all([worker(), worker()]);
  await waitUntil(
    'all have succeeded',
    async () => (await states()).every((state) => state === 'succeeded'),
    { timeoutMs: 40_000, everyMs: 250 },
  );
  const runs = await runsOf('orphan');
  expect(new Set(runs.map(({ job }) => job)).size).toBe(12);
  expect(runs.length).toBeLessThanOrEqual(13);
  expect(mostIn(runs, 1_000)).toBeLessThanOrEqual(10 + 1);
}, 90_000);
