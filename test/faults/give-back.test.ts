import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type Stack, startStack } from '../support/stack.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts'), JETBEAT_DRAIN: '200ms' };
let stack: Stack;
let ledger: Ledger;

beforeAll(async () => {
  ledger = await startLedger();
  // Long, so that a job which has to wait for it does not run again within this test.
  stack = await startStack({ ackWait: '60s' });
  await Promise.all([stack.start('api'), stack.start('recorder')]);
}, 90_000);
afterAll(async () => {
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

test('a stopping worker gives its job back, and it runs at once elsewhere, though NATS stops as well', async () => {
  const first = await stack.start('worker', { env });
  const body = { task: 'test.stubborn', input: { ms: 120_000, url: `${ledger.url}/stubborn` } };
  const answer = await stack.http.call<{ id: string }>('POST', '/jobs', body);
  await ledger.distinct(1, 20_000);
  expect(await first.stop()).toBe(0);
  await stack.killNats();
  await stack.start('worker', { env });
  const job = await stack.http.jobIn(answer.body.id, ['succeeded', 'dead'], 30_000);
  expect(job).toMatchObject({ state: 'succeeded', result: { hits: 2 } });
  expect(job.attempts).toMatchObject([
    { number: 1, outcome: 'cancelled', error: { code: 'given_back' } },
    { number: 1, outcome: 'succeeded' },
  ]);
}, 90_000);

test('a worker that was allowed to run a job and may not begin it says so: it is not taken for running', async () => {
  await stack.start('worker', { env });
  const recorder = [...stack.apps].find(({ name }) => name === 'recorder');
  if (!recorder) throw new Error('there is no recorder');
  const watch = await connect({ servers: stack.nats.url });
  const asked = new Promise<void>((resolve) => {
    watch.subscribe('questions.doubt', { max: 1, callback: () => resolve() });
  });
  await watch.flush();
  // A timer that fires soon after the worker has connected is asked about.
  const body = { task: 'test.wait', input: { ms: 1, url: `${ledger.url}/turned-back` }, delay: '3s' };
  const { id } = (await stack.http.call<{ id: string }>('POST', '/jobs', body)).body;
  await stack.http.jobIn(id, ['scheduled']);
  process.kill(recorder.pid, 'SIGSTOP');
  await asked;
  await watch.close();
  expect(await stack.http.call('POST', '/queues/default/pause', {})).toMatchObject({ status: 200 });
  process.kill(recorder.pid, 'SIGCONT');
  const job = await stack.http.jobIn(id, ['queued', 'succeeded'], 20_000);
  expect(job).toMatchObject({ state: 'queued', attempts: [] });
  expect(await stack.http.call('POST', '/queues/default/resume', {})).toMatchObject({ status: 200 });
  const done = await stack.http.jobIn(id, ['succeeded'], 20_000);
  expect(done.attempts).toMatchObject([{ number: 1, outcome: 'succeeded' }]);
}, 90_000);
