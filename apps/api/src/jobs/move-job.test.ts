import { type MovedJob, moveJob as plan } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { type MovePorts, moveJob } from './move-job.ts';
import { notedPorts } from './noted-ports.fixture.ts';

const NOW = 1_000_000;
const ROW = {
  id: 'j',
  queue: 'q',
  priority: 'normal',
  state: 'scheduled',
  attempt: 1,
  run: 1,
  parks: 0,
  order: 7,
  inputKnown: true,
  runAt: NOW + 60_000,
  dueAt: NOW + 60_000,
} as JobRecord;
const MOVED = plan(ROW, { runAt: NOW + 9_000 }, NOW) as MovedJob;

/** Ports that write down what was asked of them. */
function create(changed: Partial<MovePorts> = {}, row: Partial<JobRecord> = {}) {
  const job = { ...ROW, ...row };
  let order = job.order;
  const ports: MovePorts = {
    clock: () => NOW,
    look: async () => ({ ...job, order }),
    write: async (_job, moved) => {
      order = moved.order;
      return { ...job, order };
    },
    undo: async () => {},
    markMoved: async () => {},
    unmarkMoved: async () => {},
    publishMoved: async () => {},
    removeWaiting: async () => 0,
    takeWaiting: async () => true,
    deleteMessage: async () => true,
    caughtUp: async () => {},
    ask: async () => ({ silent: [] }),
    isConnected: () => true,
    ...changed,
  };
  const noted = notedPorts(ports, ['clock']);
  return { ...noted, move: () => moveJob(noted.ports, 'j', { runAt: NOW + 9_000 }) };
}

test('a timer that was removed proves that nobody had it: it is published anew, and no worker is asked', async () => {
  const { calls, move } = create({ removeWaiting: async () => 1 });
  await move();
  expect(calls).toEqual(['look', 'isConnected', 'write', 'removeWaiting', 'publishMoved']);
});

test('what may be anywhere is void first, then the workers are asked, and history once more', async () => {
  const { calls, move } = create({ takeWaiting: async () => false }, { seq: 5 });
  await move();
  expect(calls.slice(3)).toEqual([
    ...['removeWaiting', 'takeWaiting', 'markMoved', 'caughtUp', 'ask', 'deleteMessage', 'caughtUp', 'look'],
    'publishMoved',
  ]);
});

test('a worker that has begun it has won: row and mark are put back', async () => {
  const holder = { worker: 'w', settling: false };
  const undone: unknown[] = [];
  const { calls, move } = create({
    ask: async () => ({ holder, silent: [] }),
    undo: async (...params) => void undone.push(params),
  });
  await expect(move()).rejects.toMatchObject({ code: 'job_running' });
  expect(calls.slice(-2)).toEqual(['undo', 'unmarkMoved']);
  expect(undone).toEqual([[ROW, MOVED, holder, undefined]]);
});

test('a worker that does not answer: the move stands, and is said to be uncertain', async () => {
  const { calls, move } = create({ ask: async () => ({ silent: ['w'] }) });
  await expect(move()).rejects.toMatchObject({ code: 'workers_silent', retryAfter: 2 });
  expect(calls.at(-1)).toBe('ask');
});

test('what has gone on meanwhile is looked at again, a few times', async () => {
  const writes = [undefined, undefined, { ...ROW, order: MOVED.order }];
  const later = create({ write: async () => writes.shift(), removeWaiting: async () => 1 });
  await later.move();
  expect(later.calls.filter((name) => name === 'look').length).toBe(3);
  const never = create({ write: async () => undefined });
  await expect(never.move()).rejects.toMatchObject({ code: 'history_behind' });
});

test.each<[string, Partial<JobRecord>, string]>([
  ['runs', { state: 'running' }, 'job_running'],
  ['is being stopped', { state: 'cancelling' }, 'job_running'],
  ['is over', { state: 'dead' }, 'job_ended'],
  ['is being cancelled', { cancelRequestedAt: 1 }, 'job_ended'],
  ['is not known whole', { inputKnown: false }, 'history_behind'],
  ['expires before', { expiresAt: NOW + 5_000 }, 'invalid_request'],
])('what %s is refused before anything is touched', async (_what, row, code) => {
  const { calls, move } = create({}, row);
  await expect(move()).rejects.toMatchObject({ code });
  expect(calls).toEqual(['look']);
});

test('NATS away, an unknown job, and nothing to change', async () => {
  const away = create({ isConnected: () => false });
  await expect(away.move()).rejects.toMatchObject({ code: 'messaging_unavailable' });
  expect(away.calls).toEqual(['look', 'isConnected']);
  await expect(create({ look: async () => undefined }).move()).rejects.toMatchObject({
    code: 'job_not_found',
  });
  const same = create({}, { runAt: NOW + 9_000, dueAt: NOW + 9_000 });
  await same.move();
  expect(same.calls).toEqual(['look']);
});
