import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, connect } from '@jetbeat/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { breaks, byName, type HoldLedger, mostAtOnce, startHoldLedger } from '../support/hold-ledger.ts';
import { hold } from '../support/hold-task.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const KEYS = 20;
const JOBS = 600;
const env = {
  JETBEAT_TASKS: join(import.meta.dirname, '../support/hold-task.ts'),
  JETBEAT_CONCURRENCY: '10',
};

let stack: Stack;
let client: Client;
let ledger: HoldLedger;
const workers: AppProcess[] = [];
/** When each worker process was gone. */
const killed = new Map<number, number>();

beforeAll(async () => {
  ledger = await startHoldLedger();
  stack = await startStack();
  await stack.start('recorder');
  workers.push(...(await Promise.all([1, 2, 3].map(() => stack.start('worker', { env })))));
  client = await connect({ servers: stack.nats.url });
}, 90_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

async function killWorker(): Promise<void> {
  const [worker] = workers.splice(0, 1);
  if (!worker) return;
  await worker.kill();
  killed.set(worker.pid, Date.now());
  workers.push(await stack.start('worker', { env, eager: true }));
}

const finished = async () => {
  const runs = await ledger.runs();
  return new Set(runs.filter(({ to }) => Number.isFinite(to)).map(({ job }) => job)).size;
};

test(`${JOBS} jobs over ${KEYS} keys while workers and nats-server are killed: never two of a key at once, none is lost`, async () => {
  await client.enqueueMany(
    hold,
    Array.from({ length: JOBS }, (_, index) => ({
      input: { file: ledger.file, name: `key-${index % KEYS}`, ms: 50 },
      options: { concurrencyKey: `key-${index % KEYS}` },
    })),
  );
  for (const kill of [killWorker, killWorker, stack.killNats, killWorker]) {
    const before = await finished();
    await waitUntil('jobs go on', async () => (await finished()) >= Math.min(JOBS, before + 20), {
      timeoutMs: 40_000,
    });
    await pause(1_000);
    await kill();
  }
  await waitUntil('all have ended', async () => (await finished()) >= JOBS, {
    timeoutMs: 150_000,
    everyMs: 500,
  });
  const runs = await ledger.runs(killed);
  expect(new Set(runs.map(({ job }) => job)).size).toBe(JOBS);
  const keys = [...byName(runs)];
  expect(keys.map(([name, of]) => [name, mostAtOnce(of)])).toEqual(keys.map(([name]) => [name, 1]));
  const longest = keys.map(([, of]) => breaks(of)[0] ?? 0).toSorted((a, b) => b - a);
  const middle = keys.map(([, of]) => breaks(of)[Math.floor(of.length / 2)] ?? 0);
  const span = Math.max(...runs.map(({ to }) => to)) - Math.min(...runs.map(({ from }) => from));
  console.info({
    span,
    runs: runs.length,
    longestBreaks: longest.slice(0, 5),
    medianBreak: Math.max(...middle),
  });
}, 240_000);
