import { OUTCOMES } from '@jetbeat/core';
import type { Delivery } from '@jetbeat/jetstream';
import type { Histogram, Readings } from '@jetbeat/runtime';
import { defineTask, type Task } from '@jetbeat/task';
import { expect, test } from 'vitest';
import { Held } from './held.ts';
import { Measures } from './measures.ts';

const NOW = 1_000_000;
const task = (name: string): Task => defineTask({ name, run: () => null });

/** A job that was made 2 s ago and whose message was stored 1 s ago. */
function held(name: string, change: { attempt?: number; queue?: string; deliveryCount?: number } = {}): Held {
  const { attempt = 1, queue = 'mail', deliveryCount = 1 } = change;
  const job = { v: 1, id: name, task: name, queue, priority: 'normal', input: null } as const;
  const delivery = { queue, deliveryCount, storedAt: NOW - 1_000 } as Delivery;
  return new Held({
    job: { ...job, createdAt: NOW - 2_000, runAt: NOW - 2_000, attempt, run: attempt, parks: 0 },
    delivery,
    since: { monotonic: 0, wall: 0 },
    suspect: false,
    traced: false,
  });
}

const IDLE = {
  jobs: { size: 3, running: 2 },
  concurrency: 10,
  events: { queued: 4 },
  runs: { count: (kind: string) => (kind === 'process' ? 3 : 0) },
  sources: new Map([['mail', { outstanding: () => 2 }]]),
};
const at = (readings: Readings, name: keyof Readings, labels: object) => {
  const cells = readings[name] as readonly { labels: object; value: number | Histogram }[];
  return cells.find((cell) => JSON.stringify(cell.labels) === JSON.stringify(labels))?.value;
};

test('attempts by queue, task and outcome; how long they ran and waited', () => {
  const measures = new Measures(['mail']);
  const send = task('mail.send');
  for (const [index, outcome] of OUTCOMES.entries()) {
    const job = held('mail.send');
    measures.began(job, send, NOW);
    measures.ran(job, 1_000 * index);
    measures.settled(job, outcome);
  }
  const retry = held('mail.retry', { attempt: 2 });
  measures.began(retry, task('mail.retry'), NOW);
  measures.abandoned += 2;
  const found = measures.readings(IDLE);
  const of = { queue: 'mail', task: 'mail.send' };
  expect(at(found, 'jetbeat_worker_attempts_started_total', of)).toBe(OUTCOMES.length);
  for (const outcome of OUTCOMES)
    expect(at(found, 'jetbeat_worker_attempts_total', { ...of, outcome })).toBe(1);
  expect(at(found, 'jetbeat_worker_run_seconds', of)).toMatchObject({ count: OUTCOMES.length, sum: 21 });
  // A first attempt waits from its time on, a later one from when its message came into the queue.
  const waits = at(found, 'jetbeat_worker_wait_seconds', { queue: 'mail' });
  expect(waits).toMatchObject({ count: OUTCOMES.length + 1, sum: 2 * OUTCOMES.length + 1 });
  expect(found).toMatchObject({
    jetbeat_worker_jobs_held: 3,
    jetbeat_worker_jobs_running: 2,
    jetbeat_worker_slots: 10,
    jetbeat_worker_events_queued: 4,
    jetbeat_worker_handlers_abandoned: 2,
    jetbeat_worker_children: [
      { labels: { kind: 'thread' }, value: 0 },
      { labels: { kind: 'process' }, value: 3 },
    ],
    jetbeat_worker_pulls_outstanding: [{ labels: { queue: 'mail' }, value: 12 }],
  });
});

test('messages taken, and those that came before; other queues make no series', () => {
  const measures = new Measures(['mail']);
  const deliveries = [1, 2, 1, 3].map(
    (deliveryCount) => held('a', { deliveryCount }).deliveries[0] as Delivery,
  );
  measures.took('mail', deliveries);
  measures.took('strange', deliveries);
  measures.began(held('a', { queue: 'strange' }), task('a'), NOW);
  measures.settled(held('a', { queue: 'strange' }), 'failed');
  const found = measures.readings(IDLE);
  expect(found.jetbeat_worker_jobs_taken_total).toEqual([{ labels: { queue: 'mail' }, value: 4 }]);
  expect(found.jetbeat_worker_jobs_redelivered_total).toEqual([{ labels: { queue: 'mail' }, value: 2 }]);
  expect(found.jetbeat_worker_attempts_total).toEqual([]);
});

test('doubts by their answers, jobs parked and given back, once it is done', async () => {
  const measures = new Measures(['mail']);
  const answers = [{ answer: 'free', run: 2, losses: 1 } as const, { answer: 'held' } as const, undefined];
  const doubts = measures.counted({ ask: async () => answers.shift(), stop: () => {} });
  const question = { job: 'a', attempt: 1, run: 1, parks: 0, worker: 'w' };
  for (let asked = 0; asked < 3; asked++) await doubts.ask(question);
  const park = measures.countedPark(async (job) => {
    if (job.job.id === 'broken') throw new Error('broken');
  });
  await park(held('a'), { what: 'doubt' });
  await expect(park(held('broken'), { what: 'doubt' })).rejects.toThrow('broken');
  await measures.countedGiveBack(async () => {})(held('a'));
  const found = measures.readings(IDLE);
  expect(found.jetbeat_worker_doubts_total).toEqual([
    { labels: { answer: 'free' }, value: 1 },
    { labels: { answer: 'held' }, value: 1 },
    { labels: { answer: 'none' }, value: 1 },
  ]);
  expect(found.jetbeat_worker_jobs_parked_total).toEqual([{ labels: { what: 'doubt' }, value: 1 }]);
  expect(found.jetbeat_worker_jobs_given_back_total).toBe(1);
});
