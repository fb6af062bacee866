import type { JobEnvelope } from '@jetbeat/core';
import { jobsStreamState, openCancelled, publishJobs } from '@jetbeat/jetstream';
import { expect, onTestFinished, test } from 'vitest';
import { startOwnNats } from '../support/nats.ts';
import { createRecorderBench, newJob, type RecorderBench, settledEvent } from '../support/recorder.ts';
import { createWorkerBench } from '../support/worker-bench.ts';

/** A job that a worker of the bench holds until the test ends it. */
const heldJob = (change: Partial<JobEnvelope> = {}) => newJob({ task: 'test.held', input: null, ...change });

/** One after the other: each is looked at before the next one. */
async function publish({ bus }: RecorderBench, ...jobs: { envelope: JobEnvelope; repeat?: boolean }[]) {
  for (const job of jobs) expect(await publishJobs(bus, [job])).toMatchObject([{ ok: true }]);
}

const messages = async ({ bus }: RecorderBench) => (await jobsStreamState(bus)).messages;

test('a job that was cancelled while its message waited does not begin, and its message goes', async () => {
  const bench = await createRecorderBench();
  // For a worker that stands still on a busy machine: it asks about what it held.
  await bench.start();
  const workers = createWorkerBench(bench);
  const [cancelled, next] = [heldJob(), heldJob()];
  const keys = openCancelled(bench.bus);
  await keys.put(cancelled.id);
  await keys.close();
  await publish(bench, { envelope: cancelled }, { envelope: next });
  await workers.start('a', { concurrency: 2 });
  await workers.until(1);
  await expect.poll(() => messages(bench), { timeout: 10_000 }).toBe(1);
  expect(workers.begun.map(({ job }) => job.id)).toEqual([next.id]);
});

test('a job that has expired does not begin, and its message goes', async () => {
  const bench = await createRecorderBench();
  // For a worker that stands still on a busy machine: it asks about what it held.
  await bench.start();
  const workers = createWorkerBench(bench);
  const [expired, next] = [heldJob({ expiresAt: Date.now() - 1 }), heldJob()];
  await publish(bench, { envelope: expired }, { envelope: next });
  await workers.start('a', { concurrency: 2 });
  await workers.until(1);
  await expect.poll(() => messages(bench), { timeout: 10_000 }).toBe(1);
  expect(workers.begun.map(({ job }) => job.id)).toEqual([next.id]);
});

test('a message that may be a repeat is asked about: what was settled does not run again, what was not runs as the attempt it is', async () => {
  const bench = await createRecorderBench();
  await bench.start();
  const workers = createWorkerBench(bench);
  const [settled, open] = [heldJob(), heldJob()];
  await bench.events.publish(settledEvent(settled));
  await publish(bench, { envelope: settled, repeat: true }, { envelope: open, repeat: true });
  await workers.start('a', { concurrency: 2 });
  await workers.until(1);
  await expect.poll(() => messages(bench), { timeout: 10_000 }).toBe(1);
  expect(workers.begun.map(({ job, attempt }) => [job.id, attempt])).toEqual([[open.id, 1]]);
});

test('what a timer fires is asked about after a restart of the server, and not after one of the worker', async () => {
  const nats = await startOwnNats();
  onTestFinished(() => nats.stop());
  const bench = await createRecorderBench({ nats: nats.url });
  const workers = createWorkerBench({ ...bench, servers: nats.url });
  // No recorder could answer yet.
  const first = heldJob();
  await publishJobs(bench.bus, [{ envelope: first, at: Date.now() + 200 }]);
  await workers.start('a', { concurrency: 3 });
  await workers.until(1);
  await bench.start();
  const [settled, open] = [heldJob(), heldJob()];
  await bench.events.publish(settledEvent(settled));
  const at = Date.now() + 2_000;
  await publishJobs(bench.bus, [
    { envelope: settled, at },
    { envelope: open, at: at + 10 },
  ]);
  // As if it had forgotten that the first of them was fired, done and gone.
  await nats.kill();
  await nats.start();
  await workers.until(2);
  // What is left is what runs.
  await expect.poll(() => messages(bench), { timeout: 10_000 }).toBe(2);
  expect(workers.begun.map(({ job }) => job.id)).toEqual([first.id, open.id]);
}, 60_000);
