import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldCrew, startHoldCrew } from '../support/hold-crew.ts';
import { breaks, byName, mostAtOnce } from '../support/hold-ledger.ts';
import { hold } from '../support/hold-task.ts';
import { waitUntil } from '../support/wait-until.ts';

const KEYS = 20;
const JOBS = 1_000;

let crew: HoldCrew;

beforeAll(async () => {
  crew = await startHoldCrew({ concurrency: 10 });
}, 90_000);
afterAll(() => crew?.stop(), 60_000);

test(`${JOBS} jobs over ${KEYS} keys while workers and nats-server are killed: never two of a key at once, none is lost`, async () => {
  await crew.client.enqueueMany(
    hold,
    Array.from({ length: JOBS }, (_, index) => ({
      input: { file: crew.ledger.file, name: `key-${index % KEYS}`, ms: 50 },
      options: { concurrencyKey: `key-${index % KEYS}` },
    })),
  );
  for (const kill of [crew.killWorker, crew.killWorker, crew.stack.killNats, crew.killWorker]) {
    const before = await crew.finished();
    await waitUntil('jobs go on', async () => (await crew.finished()) >= Math.min(JOBS, before + 20), {
      timeoutMs: 40_000,
    });
    await pause(1_000);
    await kill();
  }
  await waitUntil('all have ended', async () => (await crew.finished()) >= JOBS, {
    timeoutMs: 150_000,
    everyMs: 500,
  });
  const runs = await crew.runs();
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
