import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type Stack, startStack } from '../support/stack.ts';

const ACK_WAIT_MS = 2_000;
const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };

let stack: Stack;
let ledger: Ledger;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ ackWait: `${ACK_WAIT_MS}ms` });
  await Promise.all([stack.start('api'), stack.start('recorder')]);
}, 90_000);
afterAll(async () => {
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

async function post(task: string, path: string, ms: number, more: object = {}): Promise<string> {
  const body = { task, input: { ms, url: ledger.url + path }, ...more };
  const answer = await stack.http.call<{ id: string }>('POST', '/jobs', body);
  expect(answer.status).toBe(202);
  return answer.body.id;
}

test('a handler that blocks the event loop for three times ack_wait runs once, though a neighbour is free', async () => {
  const workers = await Promise.all([stack.start('worker', { env }), stack.start('worker', { env })]);
  const id = await post('test.block', '/blocks', 3 * ACK_WAIT_MS);
  const job = await stack.http.jobIn(id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ state: 'succeeded', attempts: [{ number: 1, outcome: 'succeeded' }] });
  expect(ledger.effects.get('/blocks')?.arrivals).toHaveLength(1);
  await Promise.all(workers.map((worker) => worker.stop()));
}, 60_000);

test('past its hard limit it is timed-out, by the clock and not by what it returned', async () => {
  const worker = await stack.start('worker', { env });
  const id = await post('test.block', '/too-long', 2 * ACK_WAIT_MS, { timeout: { hard: '1s' } });
  const job = await stack.http.jobIn(id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ state: 'dead', attempts: [{ number: 1, outcome: 'timed-out' }] });
  expect(ledger.effects.get('/too-long')?.arrivals).toHaveLength(1);
  await worker.stop();
}, 60_000);

test('past the grace the process ends, and its other jobs run again', async () => {
  const main = join(import.meta.dirname, 'mains/worker-with-short-grace.ts');
  const worker = await stack.start('worker', { env, main });
  const other = await post('test.wait', '/other', 3_000);
  const blocker = await post('test.block-once', '/blocker', 60_000);
  await worker.exited;
  expect(worker.output()).toContain('event loop blocked');
  await stack.start('worker', { env });
  expect(await stack.http.jobIn(other, ['succeeded', 'dead'])).toMatchObject({ state: 'succeeded' });
  const blocked = await stack.http.jobIn(blocker, ['succeeded', 'dead']);
  expect(blocked.state).toBe('succeeded');
  expect(ledger.effects.get('/other')?.arrivals).toHaveLength(2);
  expect(ledger.effects.get('/blocker')?.arrivals).toHaveLength(2);
}, 60_000);
