import { encodeEnvelope, type JobEnvelope } from '@jetbeat/core';
import type { Delivery } from '@jetbeat/jetstream';
import { defineTask } from '@jetbeat/task';
import { expect, test } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import { instant } from '../ends/own-retries.ts';
import { HeldJobs } from '../held-jobs.ts';
import type { LimitClaim } from '../limits/limits.ts';
import { createIntake, type IntakeParams } from './intake.ts';

const task = defineTask({ name: 'test.limited', async run() {} });

/** An intake whose limits are told from outside. */
function bench() {
  const state = { proves: true, asked: [] as string[], ready: [] as string[], left: [] as string[] };
  const claims: ((claim: LimitClaim) => void)[] = [];
  const work: Promise<void>[] = [];
  const params = {
    worker: 'w',
    ackWaitMs: 30_000,
    tasks: new Map([[task.name, task]]),
    held: new HeldJobs(),
    recent: { has: () => false },
    own: { take: () => false },
    cancelled: { has: () => false, isMoved: () => false },
    doubts: {
      async ask({ job }: { job: string }) {
        state.asked.push(job);
        return { answer: 'free', run: 1, losses: 0 };
      },
    },
    limits: {
      keyed: ({ policy: _, ...job }: JobEnvelope) => job,
      left: ({ key }: { key: string }, job: string) => void state.left.push(`${key} ${job}`),
      holds: () => true,
      proves: () => state.proves,
      claim: () => new Promise<LimitClaim>((answer) => claims.push(answer)),
    },
    settledUpTo: () => 0,
    restartedFor: () => Number.POSITIVE_INFINITY,
    stalls: () => 0,
    stops: () => false,
    onReady: ({ job }: { job: JobEnvelope }) => void state.ready.push(job.id),
    track: (_: unknown, promise: Promise<void>) => void work.push(promise),
  } as unknown as IntakeParams;
  const intake = createIntake(params);
  const take = (job: JobEnvelope) =>
    intake.take(
      { seq: 1, queue: 'default', deliveryCount: 1, data: encodeEnvelope(job) } as unknown as Delivery,
      instant(),
    );
  return { state, claims, take, again: intake.again };
}

test('a job that was parked is asked about when nothing proves it, also where its limit was taken away meanwhile', async () => {
  const { state, claims, take } = bench();
  const job = newJob({ task: task.name, parks: 1 });
  take(job);
  expect(state.asked).toEqual([]);
  // While it asks for a slot.
  state.proves = false;
  claims.shift()?.({ kind: 'taken', proven: false });
  await expect.poll(() => state.asked).toEqual([job.id]);
  await expect.poll(() => claims).toHaveLength(1);
  expect(state.ready).toEqual([]);
  // It has been asked about once, and that is enough.
  claims.shift()?.({ kind: 'taken', proven: false });
  await expect.poll(() => state.ready).toEqual([job.id]);
  expect(state.asked).toEqual([job.id]);
});

test('what is proven, or was never parked, is not asked about', async () => {
  for (const parks of [0, 1]) {
    const { state, claims, take } = bench();
    const job = newJob({ task: task.name, parks });
    take(job);
    claims.shift()?.({ kind: 'taken', proven: parks > 0 });
    await expect.poll(() => state.ready).toEqual([job.id]);
    expect(state.asked).toEqual([]);
  }
});

test('who has waited too long for a handler claims anew, and is asked about no more than before', async () => {
  const { state, claims, take, again } = bench();
  const job = newJob({ task: task.name });
  const held = take(job);
  claims.shift()?.({ kind: 'taken', proven: false });
  await expect.poll(() => state.ready).toEqual([job.id]);
  if (held) again(held);
  expect([held?.phase, claims.length]).toEqual(['claiming', 1]);
  claims.shift()?.({ kind: 'taken', proven: false });
  await expect.poll(() => state.ready).toEqual([job.id, job.id]);
  expect(state.asked).toEqual([]);
});

test('who comes back from the parking place of a key that holds no more leaves it', () => {
  const { state, take } = bench();
  const policy = { concurrency: { key: 'old', limit: 1 } };
  const [fresh, back] = [0, 1].map((parks) => newJob({ task: task.name, parks, policy }));
  for (const job of [fresh, back]) if (job) take(job);
  expect(state.left).toEqual([`old ${back?.id}`]);
});
