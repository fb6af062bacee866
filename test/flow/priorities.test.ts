import { concurrencyHash } from '@jetbeat/core';
import { consumerState, handOver, jobsStreamState, parkJob, putQueueSettings } from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob, type RecorderBench } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerBench, type WorkerBench } from '../support/worker-bench.ts';

/** How many normal jobs workers hold, begun or not. */
const held = async ({ bus }: RecorderBench) => (await consumerState(bus, 'default', 'normal')).ackPending;
/** How many high jobs wait or run. */
const high = async ({ bus }: RecorderBench) => {
  const { pending, ackPending } = await consumerState(bus, 'default', 'high');
  return pending + ackPending;
};
const noneLeft = ({ bus }: RecorderBench) =>
  expect.poll(async () => (await jobsStreamState(bus)).messages, { timeout: 20_000 }).toBe(0);

/** A recorder is there for workers that stand still for a moment on a busy machine: they ask about what they held. */
async function recordedBench(): Promise<RecorderBench> {
  const bench = await createRecorderBench();
  await bench.start();
  return bench;
}

const TRIES = 5;

/**
 * Publishes so many jobs that one worker holds all of them, begun or not, since the ones before were short. Where the machine took its time
 * over those it holds fewer: then they are ended, and it is tried anew. Returns how many had begun before.
 */
async function holdInAdvance(bench: RecorderBench, workers: WorkerBench, count: number): Promise<number> {
  for (let tries = 1; ; tries++) {
    await workers.publish(2_000, { task: 'test.short' });
    await noneLeft(bench);
    const before = workers.begun.length;
    await workers.publish(count);
    const all = waitUntil('all are held', async () => (await held(bench)) === count, { timeoutMs: 3_000 });
    const isHeld = await all.catch((error: unknown) => {
      if (tries === TRIES) throw error;
    });
    if (isHeld) return before;
    for (let ended = before; ended < before + count; ended++) {
      await workers.until(ended + 1);
      workers.begun[ended]?.end();
    }
    await noneLeft(bench);
  }
}

test('under a backlog of normal a high job begins as soon as the jobs that run now have ended', async () => {
  const bench = await recordedBench();
  const workers = createWorkerBench(bench);
  await workers.publish(40);
  await workers.start('a', { concurrency: 2 });
  await workers.start('b', { concurrency: 2 });
  for (let round = 1; round <= 5; round++) {
    await workers.until(4 * round);
    await workers.publish(1, { priority: 'high' });
    // The one of the round before runs.
    await expect.poll(() => high(bench)).toBe(Math.min(round, 2));
    for (const { end } of workers.begun.slice(4 * round - 4, 4 * round)) end();
    await workers.until(4 * round + 4);
    const next = workers.begun.slice(4 * round, 4 * round + 4).map(({ job }) => job.priority);
    expect(next.filter((priority) => priority === 'high')).toHaveLength(1);
  }
}, 60_000);

test('under a backlog of all, in two queues and with two workers, each priority begins by its share', async () => {
  const bench = await recordedBench();
  const workers = createWorkerBench(bench);
  const queues = ['default', 'mail'];
  for (const queue of queues)
    for (const priority of ['high', 'normal', 'low'] as const)
      await workers.publish(200, { queue, priority });
  await Promise.all(['a', 'b'].map((name) => workers.start(name, { concurrency: 2, queues, takesMs: 10 })));
  await workers.until(300);
  const begun = workers.begun.slice(0, 300);
  const count = (found: (typeof begun)[number]['job'][keyof (typeof begun)[number]['job']]) =>
    begun.filter(({ job }) => job.priority === found || job.queue === found).length;
  expect(Math.abs(count('high') - 180)).toBeLessThan(20);
  expect(Math.abs(count('normal') - 90)).toBeLessThan(20);
  expect(Math.abs(count('low') - 30)).toBeLessThan(10);
  expect(Math.abs(count('mail') - 150)).toBeLessThan(20);
}, 60_000);

test.each([
  ['one slot', { concurrency: 1 }],
  ['three slots', { concurrency: 3 }],
])(
  'of a queue with %s, which is mostly full, each priority begins by its share',
  async (_, limit) => {
    const bench = await recordedBench();
    await putQueueSettings(bench.bus, 'narrow', { version: 1, ...limit });
    const workers = createWorkerBench(bench);
    for (const priority of ['low', 'normal', 'high'] as const)
      await workers.publish(60, { queue: 'narrow', priority });
    await workers.start('a', { concurrency: 4, queues: ['narrow'], takesMs: 5 });
    await workers.until(60);
    const begun = workers.begun.slice(0, 60);
    const count = (priority: string) => begun.filter(({ job }) => job.priority === priority).length;
    expect(Math.abs(count('high') - 36)).toBeLessThan(7);
    expect(Math.abs(count('normal') - 18)).toBeLessThan(7);
    expect(Math.abs(count('low') - 6)).toBeLessThan(4);
  },
  60_000,
);

/** Low jobs of one key that were parked, and may all go on. */
async function letGo({ bus, events }: RecorderBench, count: number): Promise<ReadonlySet<string>> {
  const concurrency = { key: 'freed', limit: count };
  const hash = concurrencyHash(concurrency.key);
  const parked = Array.from({ length: count }, () =>
    newJob({ task: 'test.held', priority: 'low', parks: 1, policy: { concurrency } }),
  );
  for (const envelope of parked) await parkJob(bus, { envelope, what: { what: 'key', hash } });
  const leases = { gone: async () => new Set<string>() };
  expect((await handOver({ bus, events, hash, leases, now: Date.now, look: true })).jobs).toBe(count);
  return new Set(parked.map(({ id }) => id));
}

test('low jobs that have waited for a key go before other low ones, and before nothing of a higher priority', async () => {
  const bench = await createRecorderBench();
  const workers = createWorkerBench(bench);
  await workers.publish(5, { priority: 'low' });
  const freed = await letGo(bench, 30);
  await workers.publish(60);
  await workers.publish(4, { priority: 'high' });
  await bench.start();
  await workers.start('a', { concurrency: 2, takesMs: 10 });
  await workers.until(99);
  const order = workers.begun.map(({ job }) => job.priority);
  expect(order.slice(0, 6).filter((priority) => priority === 'high')).toHaveLength(4);
  expect(order.slice(0, 50).filter((priority) => priority === 'low').length).toBeLessThan(9);
  const low = workers.begun.filter(({ job }) => job.priority === 'low').map(({ job }) => freed.has(job.id));
  expect(low).toEqual([...Array(30).fill(true), ...Array(5).fill(false)]);
}, 60_000);

test('jobs that a worker holds in advance, since the ones before were short, go to a neighbour that has nothing to do', async () => {
  const bench = await recordedBench();
  const workers = createWorkerBench(bench);
  await workers.start('a', { concurrency: 4 });
  const before = await holdInAdvance(bench, workers, 40);
  await workers.until(before + 4);
  await workers.start('b', { concurrency: 30 });
  await workers.until(before + 34);
  const begun = workers.begun.slice(before, before + 34);
  expect(begun.filter(({ worker }) => worker === 'b')).toHaveLength(30);
  for (const { end } of workers.begun) end();
  await workers.until(before + 40);
  expect(new Set(workers.begun.map(({ job }) => job.id)).size).toBe(before + 40);
}, 60_000);

test('what a stopping worker holds unstarted begins at once on its neighbour', async () => {
  const bench = await recordedBench();
  const workers = createWorkerBench(bench);
  const first = await workers.start('a', { concurrency: 4 });
  const before = await holdInAdvance(bench, workers, 30);
  await workers.until(before + 4);
  await workers.start('b', { concurrency: 30 });
  const stopping = performance.now();
  const stopped = first.stop();
  await workers.until(before + 30);
  const last = workers.begun.at(-1);
  // Their messages come again after 30 s where nobody gives them back.
  expect((last?.at ?? Number.POSITIVE_INFINITY) - stopping).toBeLessThan(15_000);
  for (const { end } of workers.begun) end();
  await stopped;
  expect(new Set(workers.begun.map(({ job }) => job.id)).size).toBe(before + 30);
}, 60_000);
