import { encodeBatch, type SettledEvent, type WorkerEvent } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { readBatch } from './read-batch.ts';

const settled: SettledEvent = {
  kind: 'settled',
  job: '019a0000-0000-7000-8000-000000000001',
  task: 'a.b',
  queue: 'default',
  priority: 'normal',
  createdAt: 1,
  runAt: 1,
  attempt: 1,
  run: 1,
  parks: 0,
  seq: 7,
  runId: '019a0000-0000-7000-8000-000000000002',
  worker: 'w',
  outcome: 'succeeded',
  startedAt: 2,
  finishedAt: 3,
  next: { state: 'succeeded' },
};
const worker: WorkerEvent = {
  kind: 'worker',
  worker: 'w',
  state: 'running',
  host: 'h',
  pid: 1,
  version: '0.1.0',
  queues: ['default'],
  concurrency: 10,
  held: 0,
  startedAt: 1,
  at: 2,
};
const parked = { kind: 'parked', what: 'key', key: 'k', limit: 1, taken: 1, at: 2 };
const read = (...entries: unknown[]) => readBatch(encodeBatch(entries.map((entry) => JSON.stringify(entry))));

test('sound events are read as they were written', () => {
  expect(read(settled, worker)).toEqual({ events: [settled, worker], skipped: 0, malformed: false });
});

test('random bytes and other JSON are malformed, never thrown', () => {
  for (const data of [
    Uint8Array.of(0xff, 0, 1),
    Buffer.from('{"a":1}'),
    Buffer.from('[1,'),
    new Uint8Array(),
  ]) {
    expect(readBatch(data)).toEqual({ events: [], skipped: 0, malformed: true });
  }
});

const wrong: [string, object][] = [
  ['an unknown kind', { kind: 'tomorrow' }],
  ['no position', { attempt: undefined }],
  ['an attempt beyond its column', { attempt: 2 ** 40 }],
  ['a time beyond year 9999', { finishedAt: 1e300 }],
  ['no following state', { next: undefined }],
  ['an unknown following state', { next: { state: 'running' } }],
  ['a death without a reason', { next: { state: 'dead' } }],
  ['an unknown outcome', { outcome: 'exploded' }],
  ['a run id that is none', { runId: 'x' }],
  ['a wrong task name', { task: 'a b' }],
  ['an error without a message', { error: { name: 'Error' } }],
  ['a fractional sequence', { seq: 1.5 }],
  ['no job', { job: undefined }],
  ['half a position', { parks: 0.5 }],
  ...[5, 'abc', null, [{}], Array.from({ length: 9 }, () => settled.job)].map((by): [string, object] => [
    `slots that ${JSON.stringify(by)} has`,
    { ...parked, by },
  ]),
];
test.each(wrong)('an event with %s is counted and passed by', (_, change) => {
  expect(read(settled, { ...settled, ...change })).toEqual({
    events: [settled],
    skipped: 1,
    malformed: false,
  });
});

const accepted = {
  kind: 'accepted',
  seq: 7,
  envelope: {
    v: 1,
    id: settled.job,
    task: 'a.b',
    queue: 'default',
    priority: 'normal',
    input: {},
    createdAt: 1,
    runAt: 1,
    attempt: 1,
    run: 1,
    parks: 0,
    policy: { retry: { attempts: 3 } },
  },
};
const strange: [string, object | undefined][] = [
  ['no envelope', undefined],
  ['no id', { ...accepted.envelope, id: 'x' }],
  ['attempts without end', { ...accepted.envelope, policy: { retry: { attempts: 2 ** 50 } } }],
  ['a limit that is no number', { ...accepted.envelope, policy: { timeout: { hard: '1s' } } }],
  ['a policy that is none', { ...accepted.envelope, policy: { retry: [] } }],
];
test.each(strange)('a job accepted with %s is counted and passed by', (_, envelope) => {
  expect(read(accepted, { ...accepted, envelope })).toEqual({
    events: [accepted],
    skipped: 1,
    malformed: false,
  });
});

test('of a job that was published its facts are looked at', () => {
  const { envelope } = accepted;
  const { id: job, task, queue, priority, createdAt, runAt, attempt, run, parks } = envelope;
  const published = { kind: 'published', job, task, queue, priority, createdAt, runAt, attempt, run, parks };
  expect(read(published, { ...published, queue: 'a b' }, { ...published, runAt: 'now' })).toEqual({
    events: [published],
    skipped: 2,
    malformed: false,
  });
});

test('a worker with a wrong list of tasks is passed by', () => {
  expect(read({ ...worker, tasks: [{ name: 'a b' }] }, { ...worker, queues: 'all' }, null, 5).skipped).toBe(
    4,
  );
});
