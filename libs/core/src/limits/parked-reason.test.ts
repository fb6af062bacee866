import { expect, test } from 'vitest';
import { uuidV7 } from '../ids.ts';
import { FIRST_POSITION, type JobEnvelope } from '../jobs/envelope.ts';
import { factsOf } from '../jobs/event.ts';
import { project } from '../jobs/project.ts';
import { reasonWithoutKey } from './parked-reason.ts';

const job: JobEnvelope = {
  v: 1,
  id: uuidV7(1_000, new Uint8Array(10)),
  task: 'a.b',
  queue: 'default',
  priority: 'normal',
  input: null,
  createdAt: 1_000,
  runAt: 1_000,
  ...FIRST_POSITION,
};

test('what holds a parked job is told', () => {
  const facts = factsOf({ ...job, parks: 1 }, undefined);
  const [task] = project([{ kind: 'parked', ...facts, seq: 7, what: 'task', at: 5 }]).jobs;
  expect(task).toMatchObject({ state: 'parked', reason: { code: 'no_worker' } });
  expect(task?.reason?.text).toContain(`the queue "${job.queue}" does not have the task "${job.task}"`);
  expect(task).not.toHaveProperty('seq');
  const [doubt] = project([{ kind: 'parked', ...facts, what: 'doubt', at: 5 }]).jobs;
  expect(doubt).toMatchObject({ state: 'parked', reason: { code: 'doubt' } });
  const texts = [
    { limit: 1, taken: 1, text: 'waits for key k: 1 of 1 slot is taken' },
    { limit: 3, taken: 3, text: 'waits for key k: 3 of 3 slots are taken' },
    {
      ...{ limit: 1, taken: 1, by: [job.id] },
      text: `waits for key k: 1 of 1 slot is taken, by job ${job.id}`,
    },
    {
      ...{ limit: 5, taken: 5, by: [job.id, job.id] },
      text: `waits for key k: 5 of 5 slots are taken, by jobs ${job.id}, ${job.id} and 3 more`,
    },
    { limit: 3, taken: 2, text: 'waits for key k, behind older jobs' },
  ];
  for (const { text, ...slots } of texts) {
    const [key] = project([{ kind: 'parked', ...facts, what: 'key', key: 'k', ...slots, at: 5 }]).jobs;
    expect(key).toMatchObject({ state: 'parked', reason: { code: 'key', text, key: 'k' } });
  }
  const rate = { what: 'rate', rate: 'task mail.send', limit: 100, periodMs: 60_000 } as const;
  const [rated] = project([{ kind: 'parked', ...facts, ...rate, at: 5 }]).jobs;
  const text = 'waits for the rate of task mail.send: 100 per 1m';
  expect(rated?.reason).toEqual({ code: 'rate', text, rate: 'task mail.send' });
});

test.each([
  ['key', 'waits for key k: 1 of 1 slot is taken', 'waits for its key: 1 of 1 slot is taken'],
  ['key', 'waits for key k: 9 of 9 slots are taken', 'waits for its key: 9 of 9 slots are taken'],
  [
    'key',
    `waits for key k: 5 of 5 slots are taken, by jobs ${job.id}, ${job.id} and 3 more`,
    `waits for its key: 5 of 5 slots are taken, by jobs ${job.id}, ${job.id} and 3 more`,
  ],
  ['key', 'waits for key a: 1 of 2\nb, behind older jobs', 'waits for its key, behind older jobs'],
  ['key', 'waits for key a long one that is c', 'waits for its key'],
  [
    'rate',
    'waits for the rate of task a.b, key k: 2 per 1s: 2 per 1m',
    'waits for the rate of task a.b: 2 per 1m',
  ],
  ['rate', 'waits for the rate of queue q, key a long', 'waits for the rate of queue q'],
])(
  'where keys are not told, a reason says without it what the job waits for: %s, %j',
  (code, text, expected) => {
    expect(reasonWithoutKey({ code, text })).toEqual({ code, text: expected });
  },
);

test('of a reason that tells of no key nothing is left out', () => {
  for (const reason of [
    { code: 'rate', text: 'waits for the rate of task a.b: 2 per 1m' },
    { code: 'cancelled', text: 'waits for key k' },
  ])
    expect(reasonWithoutKey(reason)).toBe(reason);
});

test('a job without a trace has none', () => {
  const facts = factsOf(job, undefined);
  const [change] = project([
    { kind: 'parked', ...facts, what: 'task', at: 5 },
    { kind: 'released', ...facts, at: 6 },
  ]).jobs;
  expect(change).toMatchObject({ state: 'queued' });
  expect(change).not.toHaveProperty('traceId');
});
