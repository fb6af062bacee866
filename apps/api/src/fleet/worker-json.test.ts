import type { WorkerReport } from '@jetbeat/core';
import type { WorkerRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { workerJson } from './worker-json.ts';

const worker: WorkerRecord = {
  id: 'w',
  host: 'h',
  pid: 1,
  version: '1',
  state: 'running',
  draining: false,
  tasks: ['a'],
  queues: ['mine', 'theirs'],
  concurrency: 9,
  held: 7,
  startedAt: 1,
  heardAt: 2,
};
const job = (queue: string) => ({ id: queue, task: 'a', queue, attempt: 1 });
const report: WorkerReport = {
  worker: 'w',
  state: 'running',
  queues: worker.queues,
  concurrency: 9,
  givenBack: 0,
  changed: false,
  held: 7,
  running: 5,
  jobs: [job('mine'), job('theirs')],
};

test('of a worker that serves others too nobody is told how busy they keep it', () => {
  const caller = { queues: ['mine'] };
  expect(workerJson(worker, { since: 0, caller })).toMatchObject({ queues: ['mine'], held: null });
  const asked = workerJson(worker, { since: 0, caller, report });
  expect(asked).toMatchObject({ held: null, jobs: [{ id: 'mine' }] });
  expect(asked).not.toHaveProperty('running');
  // It has left their queue, and is at their job still.
  const leaving = { ...report, queues: ['mine'] };
  expect(workerJson(worker, { since: 0, caller, report: leaving }).held).toBeNull();
});

test('all queues, or all of those that it serves: everything', () => {
  for (const caller of [{}, { queues: ['mine', 'theirs', 'more'] }]) {
    expect(workerJson(worker, { since: 0, caller }).held).toBe(7);
    expect(workerJson(worker, { since: 0, caller, report })).toMatchObject({ held: 7, running: 5 });
  }
});
