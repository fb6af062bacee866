import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type Stack, startStack } from '../support/stack.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };
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
