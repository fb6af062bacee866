import type { Concurrency, JobEnvelope, QueueSettings } from '@jetbeat/core';
import { findParked, putQueueSettings } from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob } from '../support/recorder.ts';
import { createWorkerBench } from '../support/worker-bench.ts';

const QUEUES = ['default', 'other'];

/** A worker of these queues, and jobs for it. */
async function bench(settings?: QueueSettings, queues = QUEUES) {
  const made = await createRecorderBench();
  // A slot that was taken back proves nothing: the job is asked about.
  if (!queues.includes('other')) await made.start();
  const say = (queue: string, said: QueueSettings) => putQueueSettings(made.bus, queue, said);
  if (settings) await say('other', settings);
  const workers = createWorkerBench(made);
  await workers.start('a', { concurrency: 40, queues });
  /** Returns the ids. */
  const publish = async (queue: string, keys: readonly (string | undefined)[]) => {
    const jobs = keys.map((key): Partial<JobEnvelope> => {
      const concurrency: Concurrency | undefined = key === undefined ? undefined : { key, limit: 1 };
      return { id: newJob().id, queue, ...(concurrency && { policy: { concurrency } }) };
    });
    for (const job of jobs) await workers.publish(1, job);
    return jobs.map(({ id = '' }) => id);
  };
  const isParked = async (queue: string, id: string) =>
    (await findParked(made.bus, { queue, id })) !== undefined;
  const begun = () => workers.begun.map(({ job }) => job.id);
  return { workers, say, publish, isParked, begun };
}

const KEYS = Array.from({ length: 10 }, (_, index) => `host-${index}`);

test('jobs that wait for their keys keep no slot of their queue from those behind them', async () => {
  const { workers, publish, begun } = await bench({ version: 1, concurrency: 1 });
  await publish('default', KEYS);
  await workers.until(KEYS.length);
  await publish('other', KEYS);
  const from = performance.now();
  const [free = ''] = await publish('other', [undefined]);
  await workers.until(KEYS.length + 1);
  expect(begun().at(-1)).toBe(free);
  // One after the other they would wait for a second each.
  expect(performance.now() - from).toBeLessThan(6_000);
  for (const { end } of workers.begun) end();
  for (let all = KEYS.length + 2; all <= 2 * KEYS.length + 1; all++) {
    await workers.until(all);
    workers.begun.at(-1)?.end();
  }
  expect(new Set(begun()).size).toBe(2 * KEYS.length + 1);
}, 60_000);

test('jobs that wait for their key use up no start of their queue', async () => {
  const rateLimit = { limit: 2, periodMs: 1_000, burst: 1 };
  const { workers, publish, begun } = await bench({ version: 1, rateLimit });
  await publish('default', ['host']);
  await workers.until(1);
  await publish('other', Array(30).fill('host'));
  const from = performance.now();
  const [free = ''] = await publish('other', [undefined]);
  await workers.until(2);
  expect(begun().at(-1)).toBe(free);
  // Thirty starts are fifteen seconds.
  expect(performance.now() - from).toBeLessThan(8_000);
}, 60_000);

test('a free slot of a key is not kept for jobs of a queue that is paused; when that goes on it is their turn', async () => {
  const { workers, say, publish, isParked, begun } = await bench();
  const [first = ''] = await publish('default', ['host']);
  await workers.until(1);
  const [one = '', two = ''] = await publish('other', ['host', 'host']);
  for (const id of [one, two]) await expect.poll(() => isParked('other', id), { timeout: 10_000 }).toBe(true);
  await say('other', { version: 1, paused: { by: 'test', since: Date.now() } });
  const [last = ''] = await publish('default', ['host']);
  await expect.poll(() => isParked('default', last), { timeout: 10_000 }).toBe(true);
  const from = performance.now();
  workers.begun[0]?.end();
  await workers.until(2);
  // A slot that is kept is kept for ten seconds.
  expect(performance.now() - from).toBeLessThan(8_000);
  workers.begun[1]?.end();
  await say('other', { version: 2 });
  await workers.until(3);
  workers.begun[2]?.end();
  await workers.until(4);
  expect(begun()).toEqual([first, last, one, two]);
}, 60_000);

test('a free slot of a key goes to a job that can begin before older ones of a queue that nobody serves', async () => {
  const { workers, publish, isParked, begun } = await bench(undefined, ['default']);
  const { stop } = await workers.start('b', { concurrency: 40, queues: ['other'] });
  const [first = ''] = await publish('default', ['host']);
  await workers.until(1);
  const others = await publish('other', Array(3).fill('host'));
  for (const id of others) await expect.poll(() => isParked('other', id), { timeout: 10_000 }).toBe(true);
  await stop();
  const [last = ''] = await publish('default', ['host']);
  await expect.poll(() => isParked('default', last), { timeout: 10_000 }).toBe(true);
  workers.begun[0]?.end();
  // A slot that is kept in vain is kept for ten seconds, and for each of them it would be longer than is waited for here.
  await workers.until(2);
  expect(begun()).toEqual([first, last]);
  await workers.start('c', { concurrency: 40, queues: ['other'] });
  workers.begun[1]?.end();
  for (const count of [3, 4, 5]) {
    await workers.until(count);
    workers.begun.at(-1)?.end();
  }
  expect(begun().slice(2).sort()).toEqual(others.toSorted());
}, 60_000);
