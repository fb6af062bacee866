import { expect, test } from 'vitest';
import type { Held } from '../held.ts';
import { differs, type LimitedQueue, loseSlots } from './limited-queue.ts';

/** A queue of which so many slots are had and noted, under which these jobs count. */
function queueWith(slots: number, phases: readonly Held['phase'][]): LimitedQueue {
  const used = phases.map((phase) => ({ phase, queueSlot: true }) as Held);
  return {
    name: 'mail',
    have: slots,
    noted: slots,
    lease: 'w.a',
    tooMany: undefined,
    changing: undefined,
    used: new Set(used),
    waiting: {} as LimitedQueue['waiting'],
    rate: {} as LimitedQueue['rate'],
  };
}

test('with the lease a job that has not come to its turn loses its slot, and asks again; what runs counts until it has stopped', () => {
  const queue = queueWith(5, ['claiming', 'asking', 'waiting', 'running', 'settling']);
  const jobs = [...queue.used];
  loseSlots(queue);
  expect(queue.have).toBe(0);
  expect([...queue.used].map(({ phase }) => phase)).toEqual(['waiting', 'running', 'settling']);
  expect(jobs.map(({ queueSlot }) => queueSlot)).toEqual([false, false, true, true, true]);
});

test('slots are asked for at once, and given back after a while', () => {
  const queue = queueWith(3, ['running']);
  const needed = { limit: 5, wanted: 3, lease: 'w.a', stopped: false };
  expect(differs(queue, needed)).toBe(false);
  expect(differs(queue, { ...needed, wanted: 4 })).toBe(true);
  expect(differs(queue, { ...needed, lease: 'w.b' })).toBe(true);
  expect(differs(queue, { ...needed, limit: 2 })).toBe(true);
  expect(differs(queue, { ...needed, limit: undefined })).toBe(true);
  expect(differs(queue, { ...needed, wanted: 1 })).toBe(false);
  queue.tooMany = performance.now() - 2_000;
  expect(differs(queue, { ...needed, wanted: 1 })).toBe(true);
  expect(differs(queue, needed)).toBe(false);
  expect(queue.tooMany).toBeUndefined();
});

test('a worker that stops gives back at once what nothing runs under, and asks for nothing', () => {
  const needed = { limit: 5, wanted: 1, lease: 'w.a', stopped: true };
  expect(differs(queueWith(3, ['running']), needed)).toBe(true);
  expect(differs(queueWith(1, ['running']), { ...needed, wanted: 4, lease: undefined })).toBe(false);
});
