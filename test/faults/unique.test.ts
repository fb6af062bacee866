import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hold } from '../flow/unique-tasks.ts';
import { type Gates, startGates } from '../support/gates.ts';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, '../flow/unique-tasks.ts') };

let stack: Stack;
let gates: Gates;
let ledger: Ledger;
let client: Client;

beforeAll(async () => {
  gates = await startGates();
  // Long enough that a worker is killed in the middle.
  ledger = await startLedger({ answerMs: 40 });
  stack = await startStack();
  await Promise.all([stack.start('api'), stack.start('recorder')]);
  client = await connect({ servers: stack.nats.url });
}, 120_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await gates?.stop();
  await ledger?.stop();
}, 60_000);

const end = (id: string) => stack.http.ended(id, 40_000);
const ask = (key: string, gate = `${gates.url}/${key}`) => client.enqueue(hold, { gate }, { uniqueKey: key });

test('a job whose worker is killed holds its key until another worker has done it', async () => {
  const worker = await stack.start('worker', { env });
  const { id } = await ask('killed');
  await gates.until('/killed', 1);
  await worker.kill();
  expect(await ask('killed')).toMatchObject({ id, created: false });
  const other = await stack.start('worker', { env });
  await gates.until('/killed', 2);
  expect(await ask('killed')).toMatchObject({ id, created: false });
  gates.open('/killed');
  expect(await end(id)).toMatchObject({ state: 'succeeded' });
  const next = await waitUntil('the key is free', async () => {
    const asked = await ask('killed');
    return asked.created && asked;
  });
  expect(await end(next.id)).toMatchObject({ state: 'succeeded' });
  await other.stop();
}, 90_000);

test('while workers are killed, no two jobs with one key are ever open at the same time, and none is stuck', async () => {
  const KEYS = 8;
  const made = Array.from({ length: KEYS }, (): string[] => []);
  // A slot for each that could be open: a second one with a key would begin at once, and be seen beside the first.
  const roomy = { env: { ...env, JETBEAT_CONCURRENCY: `${4 * KEYS}` } };
  let worker = await stack.start('worker', roomy);
  let going = true;
  const produce = async (key: number) => {
    while (going) {
      const { id, created } = await ask(`storm ${key}`, `${ledger.url}/storm/${key}`);
      if (created) made[key]?.push(id);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const producers = made.flatMap((_, key) => [produce(key), produce(key)]);
  for (let kill = 0; kill < 3; kill++) {
    const before = made.flat().length;
    await waitUntil('jobs go on', () => made.flat().length > before + 2 * KEYS, { timeoutMs: 40_000 });
    worker = await stack.restart(worker, roomy);
  }
  going = false;
  await Promise.all(producers);
  for (const ids of made) {
    let freeAt = 0;
    for (const id of ids) {
      const job = await end(id);
      expect(job.state).toBe('succeeded');
      // A producer that began to ask a moment before has the key after the end, and its job is as old as its question.
      expect(Date.parse(job.attempts[0]?.startedAt ?? '')).toBeGreaterThanOrEqual(freeAt);
      freeAt = Date.parse(job.finishedAt ?? '');
    }
  }
  await worker.stop();
}, 180_000);

test('a killed worker takes nothing from what is kept: one runs again, and the newest runs after it', async () => {
  const call = (turn: number) =>
    client.enqueue(hold, { gate: `${gates.url}/last`, turn }, { keepLast: 'last' });
  const worker = await stack.start('worker', { env });
  const first = await call(0);
  await gates.until('/last', 1);
  const second = await call(1);
  await stack.http.jobIn(second.id, ['parked']);
  const third = await call(2);
  expect(third.replaced).toBe(second.id);
  await worker.kill();
  const fourth = await call(3);
  expect(fourth.replaced).toBe(third.id);
  const other = await stack.start('worker', { env });
  await gates.until('/last', 2);
  gates.open('/last');
  expect(await end(first.id)).toMatchObject({ state: 'succeeded', result: { turn: 0 } });
  expect(await end(fourth.id)).toMatchObject({ state: 'succeeded', result: { turn: 3 } });
  for (const { id } of [second, third])
    expect(await end(id)).toMatchObject({ state: 'cancelled', reason: { code: 'replaced' } });
  expect(gates.entered('/last')).toBe(3);
  await other.stop();
}, 120_000);

test('what a stopping worker gives back gives way to the newer job that waits', async () => {
  const call = (turn: number) =>
    client.enqueue(hold, { gate: `${gates.url}/returned`, turn }, { keepLast: 'returned' });
  const worker = await stack.start('worker', { env: { ...env, JETBEAT_DRAIN: '100ms' } });
  const first = await call(0);
  await gates.until('/returned', 1);
  const second = await call(1);
  expect(second.replaced).toBeUndefined();
  await stack.http.jobIn(second.id, ['parked']);
  await worker.stop();
  gates.open('/returned');
  const other = await stack.start('worker', { env });
  expect(await end(second.id)).toMatchObject({ state: 'succeeded', result: { turn: 1 } });
  const old = await end(first.id);
  expect(old).toMatchObject({ state: 'cancelled', reason: { code: 'replaced' } });
  expect(old.attempts).toMatchObject([{ error: { code: 'given_back' } }]);
  expect(gates.entered('/returned')).toBe(2);
  await other.stop();
}, 60_000);

test('a message of a job that was replaced while it lay on its queue is dropped by the worker that gets it', async () => {
  const uniqueKey = { key: 'on-queue', onConflict: 'replace' } as const;
  const call = (turn: number) => client.enqueue(hold, { gate: `${gates.url}/on-queue`, turn }, { uniqueKey });
  const first = await call(0);
  const second = await call(1);
  expect(second.replaced).toBe(first.id);
  gates.open('/on-queue');
  const worker = await stack.start('worker', { env });
  expect(await end(second.id)).toMatchObject({ state: 'succeeded', result: { turn: 1 } });
  expect(await end(first.id)).toMatchObject({ state: 'cancelled', reason: { code: 'replaced' } });
  // Behind both: whatever lay before it has been decided.
  expect(await end((await call(2)).id)).toMatchObject({ state: 'succeeded' });
  expect(gates.entered('/on-queue')).toBe(2);
  await worker.stop();
}, 60_000);

test('keys outlive a killed nats-server, and are noted again when it has lost them', async () => {
  const { id } = await ask('kept');
  await waitUntil('history knows it', () => stack.http.job(id));
  await stack.killNats();
  const again = () => waitUntil('NATS is back', () => ask('kept'));
  expect(await again()).toMatchObject({ id, created: false });
  stack.nats.kill();
  await stack.nats.exited;
  await rm(join(stack.natsStore, 'jetstream/$G/streams/KV_unique'), { recursive: true });
  await stack.killNats();
  // Whoever asks in the meantime may get the key; what he made gives way as long as it has not begun.
  const first = await waitUntil('the key is back', async () => {
    const asked = await ask('kept');
    return asked.id === id && asked;
  });
  expect(first.created).toBe(false);
  gates.open('/kept');
  const worker = await stack.start('worker', { env });
  expect(await end(id)).toMatchObject({ state: 'succeeded' });
  expect(gates.entered('/kept')).toBe(1);
  await worker.stop();
}, 120_000);
