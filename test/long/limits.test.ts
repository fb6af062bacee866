import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldCrew, startHoldCrew } from '../support/hold-crew.ts';
import { breaks, byName, mostAtOnce } from '../support/hold-ledger.ts';
import { fails, hold } from '../support/hold-task.ts';
import { waitUntil } from '../support/wait-until.ts';

const KEYS = 100;
const JOBS = 10_000;
const KILL_EVERY_MS = 5_000;

let crew: HoldCrew;

beforeAll(async () => {
  crew = await startHoldCrew({ concurrency: 50 });
}, 90_000);
afterAll(() => crew?.stop(), 60_000);

test.each([
  { kills: false, name: 'calm' },
  { kills: true, name: 'killed' },
])(
  `${JOBS} jobs over ${KEYS} keys with one slot each, workers killed: $kills`,
  async ({ kills, name }) => {
    const began = Date.now();
    await crew.client.enqueueMany(
      hold,
      Array.from({ length: JOBS }, (_, index) => ({
        input: { file: crew.ledger.file, name: `${name}-${index % KEYS}`, ms: 20 },
        options: { concurrencyKey: `${name}-${index % KEYS}` },
      })),
    );
    const end = Date.now() + 400_000;
    for (let kill = Date.now() + KILL_EVERY_MS; (await crew.finished(`${name}-`)) < JOBS; await pause(500)) {
      if (Date.now() > end) throw new Error(`only ${await crew.finished(`${name}-`)} of ${JOBS} have ended`);
      if (!kills || Date.now() < kill) continue;
      kill = Date.now() + KILL_EVERY_MS;
      await crew.killWorker();
    }
    const runs = (await crew.runs()).filter((run) => run.name.startsWith(`${name}-`));
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
      kills: crew.killed,
      runs: runs.length,
      longest: longest[0],
      middle: middle[50],
    });
  },
  450_000,
);

test('1,000 jobs with five minutes until their next try do not hold up a queue of concurrency 2', async () => {
  expect(await crew.stack.http.call('PUT', '/queues/default', { concurrency: 2 })).toMatchObject({
    status: 200,
  });
  const options = { retry: { attempts: 2, delay: '5m', backoff: 'fixed' as const } };
  await crew.client.enqueueMany(
    fails,
    Array.from({ length: 1_000 }, (_, index) => ({
      input: { file: crew.ledger.file, name: `fails-${index}` },
      options,
    })),
  );
  await waitUntil('all have failed once', async () => (await crew.finished('fails-')) === 1_000, {
    timeoutMs: 120_000,
    everyMs: 500,
  });
  const began = Date.now();
  await crew.client.enqueue(hold, { file: crew.ledger.file, name: 'after', ms: 1 });
  await waitUntil('the next one has run', async () => (await crew.finished('after')) === 1);
  expect(Date.now() - began).toBeLessThan(3_000);
  expect(mostAtOnce((await crew.runs()).filter(({ name }) => name.startsWith('fails-')))).toBeLessThanOrEqual(
    2,
  );
}, 180_000);
