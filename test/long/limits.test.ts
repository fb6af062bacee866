import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, connect } from '@jetbeat/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { breaks, byName, type HoldLedger, mostAtOnce, startHoldLedger } from '../support/hold-ledger.ts';
import { fails, hold } from '../support/hold-task.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const KEYS = 100;
const JOBS = 10_000;
const KILL_EVERY_MS = 5_000;
const env = {
  JETBEAT_TASKS: join(import.meta.dirname, '../support/hold-task.ts'),
  JETBEAT_CONCURRENCY: '50',
};

let stack: Stack;
let client: Client;
let ledger: HoldLedger;
const workers: AppProcess[] = [];
const killed = new Map<number, number>();

beforeAll(async () => {
  ledger = await startHoldLedger();
  stack = await startStack();
  await Promise.all([stack.start('recorder'), stack.start('api')]);
  workers.push(...(await Promise.all([1, 2, 3].map(() => stack.start('worker', { env })))));
  client = await connect({ servers: stack.nats.url });
}, 90_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

const finished = async (begins: string) => {
  const runs = await ledger.runs();
  return new Set(
    runs.filter(({ to, name }) => Number.isFinite(to) && name.startsWith(begins)).map(({ job }) => job),
  ).size;
};

async function killOne(): Promise<void> {
  const [worker] = workers.splice(0, 1);
  if (!worker) return;
  await worker.kill();
  killed.set(worker.pid, Date.now());
  workers.push(await stack.start('worker', { env, eager: true }));
}

test.each([
  { kills: false, name: 'calm' },
  { kills: true, name: 'killed' },
])(
  `${JOBS} jobs over ${KEYS} keys with one slot each, workers killed: $kills`,
  async ({ kills, name }) => {
    const began = Date.now();
    await client.enqueueMany(
      hold,
      Array.from({ length: JOBS }, (_, index) => ({
        input: { file: ledger.file, name: `${name}-${index % KEYS}`, ms: 20 },
        options: { concurrencyKey: `${name}-${index % KEYS}` },
      })),
    );
    const end = Date.now() + 400_000;
    for (let kill = Date.now() + KILL_EVERY_MS; (await finished(`${name}-`)) < JOBS; await pause(500)) {
      if (Date.now() > end) throw new Error(`only ${await finished(`${name}-`)} of ${JOBS} have ended`);
      if (!kills || Date.now() < kill) continue;
      kill = Date.now() + KILL_EVERY_MS;
      await killOne();
    }
    const runs = (await ledger.runs(killed)).filter((run) => run.name.startsWith(`${name}-`));
    expect(new Set(runs.map(({ job }) => job)).size).toBe(JOBS);
    const keys = [...byName(runs)];
    expect(keys.filter(([, of]) => mostAtOnce(of) > 1)).toEqual([]);
    const idle = keys.map(([, of]) => breaks(of));
    const longest = idle.map(([first = 0]) => first).toSorted((a, b) => b - a);
    const middle = idle.map((all) => all[Math.floor(all.length / 2)] ?? 0).toSorted((a, b) => b - a);
    const seconds = (Date.now() - began) / 1_000;
    console.info({
      name,
      seconds,
      perSecond: JOBS / seconds,
      kills: killed.size,
      runs: runs.length,
      longest: longest[0],
      middle: middle[50],
    });
  },
  450_000,
);

test('1,000 jobs with five minutes until their next try do not hold up a queue of concurrency 2', async () => {
  expect(await stack.http.call('PUT', '/queues/default', { concurrency: 2 })).toMatchObject({ status: 200 });
  const options = { retry: { attempts: 2, delay: '5m', backoff: 'fixed' as const } };
  await client.enqueueMany(
    fails,
    Array.from({ length: 1_000 }, (_, index) => ({
      input: { file: ledger.file, name: `fails-${index}` },
      options,
    })),
  );
  await waitUntil('all have failed once', async () => (await finished('fails-')) === 1_000, {
    timeoutMs: 120_000,
    everyMs: 500,
  });
  const began = Date.now();
  await client.enqueue(hold, { file: ledger.file, name: 'after', ms: 1 });
  await waitUntil('the next one has run', async () => (await finished('after')) === 1);
  expect(Date.now() - began).toBeLessThan(3_000);
  expect(
    mostAtOnce((await ledger.runs(killed)).filter(({ name }) => name.startsWith('fails-'))),
  ).toBeLessThanOrEqual(2);
}, 180_000);
