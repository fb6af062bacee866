import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { type HoldLedger, startHoldLedger } from '../support/hold-ledger.ts';
import { hold } from '../support/hold-task.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, '../support/hold-task.ts'), JETBEAT_CONCURRENCY: '2' };

let stack: Stack;
let client: Client;
let ledger: HoldLedger;
let worker: AppProcess;

beforeAll(async () => {
  ledger = await startHoldLedger();
  stack = await startStack();
  await stack.start('recorder');
  worker = await stack.start('worker', { env });
  client = await connect({ servers: stack.nats.url });
}, 90_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

/** Begins a job under a key, then takes nats-server away. */
async function cutOff(name: string, deaf: boolean): Promise<void> {
  const input = { file: ledger.file, name, ms: 60_000, deaf };
  await client.enqueue(hold, input, { concurrencyKey: name, retry: { attempts: 1 } });
  await waitUntil('it runs', async () => (await ledger.runs()).some((run) => run.name === name));
  stack.nats.kill();
  await stack.nats.exited;
}

test('a worker without NATS stops what runs under a key before anybody else may begin it', async () => {
  await cutOff('heeds', false);
  const run = await waitUntil('it has been stopped', async () =>
    (await ledger.runs()).find(({ name, to }) => name === 'heeds' && Number.isFinite(to)),
  );
  // Its lease lasts 3 s.
  expect(run.to - run.from).toBeLessThan(20_000);
  expect(stack.apps.has(worker)).toBe(true);
  await stack.killNats();
}, 60_000);

test('a worker whose handler ignores that ends, with a word why', async () => {
  await cutOff('deaf', true);
  await worker.exited;
  expect(worker.output()).toContain('handlers under a concurrency limit go on: the worker ends');
  expect((await ledger.runs()).filter(({ name, to }) => name === 'deaf' && Number.isFinite(to))).toEqual([]);
  // A recorder without NATS takes its time to stop.
  await stack.killNats();
}, 60_000);
