import type { QueueSettings } from '@jetbeat/core';
import { expect, test } from 'vitest';
import type { Held } from '../held.ts';
import { createQueueGate } from './queue-gate.ts';

/** A gate over settings that the test changes, and what it did. */
function bench(seqs: readonly number[] = []) {
  const settings = new Map<string, QueueSettings>();
  const listeners = new Set<(queue: string, now: QueueSettings | undefined) => void>();
  const done: string[] = [];
  const left = new Set<string>();
  const waiting = new Set(seqs.map((seq) => held(seq)));
  const isPaused = (queue: string) => settings.get(queue)?.paused !== undefined;
  const gate = createQueueGate({
    queues: {
      of: (queue) => settings.get(queue),
      isPaused,
      load: async () => {},
      onChange: (fn) => {
        listeners.add(fn);
        return () => listeners.delete(fn);
      },
      close: () => {},
    },
    serves: (queue) => !left.has(queue),
    jobs: { begin: () => {}, end: () => {} },
    ready: () => ({ waiting: () => [...waiting], drop: (one) => waiting.delete(one) }),
    letGo: {
      refuse: ({ job }, delayMs) => done.push(`refuse ${job.id} ${delayMs}`),
      finish: ({ job }, settled) => done.push(`finish ${job.id} ${settled}`),
      track: (_held, work) => void work,
    },
    settle: { end: async ({ job }, state, { code }) => void done.push(`${state} ${code} ${job.id}`) },
    onOpen: () => done.push('open'),
  });
  const set = (queue: string, now: Omit<QueueSettings, 'version'>) => {
    settings.set(queue, { version: 1, ...now });
    for (const listener of listeners) listener(queue, settings.get(queue));
  };
  return { gate, done, waiting, set, listeners, left };
}

function held(seq: number, queue = 'mail'): Held {
  return { job: { id: `j${seq}`, queue }, deliveries: [{ seq, storedAt: seq }] } as unknown as Held;
}

const paused = { by: 'ops', since: 1 };

test('what waits goes back when its queue is paused, later, and nothing of it is pulled until it goes on', () => {
  const { gate, done, waiting, set } = bench([1, 2]);
  expect(gate.stops(held(3))).toBe(false);
  set('other', { paused });
  expect(waiting.size).toBe(2);
  set('mail', { paused });
  expect(done).toEqual(['refuse j1 1000', 'refuse j2 1000']);
  expect(waiting.size).toBe(0);
  expect([gate.roomOf('mail'), gate.roomOf('default')]).toEqual([0, Number.POSITIVE_INFINITY]);
  expect(gate.stops(held(4))).toBe(true);
  set('mail', {});
  expect(gate.stops(held(5))).toBe(false);
  expect(gate.roomOf('mail')).toBe(Number.POSITIVE_INFINITY);
  expect(done.slice(2)).toEqual(['refuse j4 1000', 'open']);
});

test('what goes with a purge ends as cancelled, paused or not; what came later is left alone', async () => {
  const { gate, done, waiting, set, listeners } = bench([4, 6]);
  set('mail', { paused, purge: { upTo: 5, before: 5 } });
  await Promise.resolve();
  await Promise.resolve();
  expect(done).toEqual(['cancelled purged j4', 'refuse j6 1000', 'finish j4 true']);
  expect(waiting.size).toBe(0);
  set('mail', { purge: { upTo: 5, before: 5 } });
  expect(gate.stops(held(6))).toBe(false);
  expect(gate.stops(held(5))).toBe(true);
  const twice = {
    ...held(5),
    deliveries: [
      { seq: 5, storedAt: 5 },
      { seq: 9, storedAt: 9 },
    ],
  } as unknown as Held;
  expect(gate.stops(twice)).toBe(false);
  gate.close();
  expect(listeners.size).toBe(0);
});

test('what waits of a queue that is served here no more goes back at once, whether anything was said of the queue or not', () => {
  const { gate, done, waiting, set, left } = bench([1, 2]);
  expect(gate.look()).toBe(0);
  left.add('mail');
  expect(gate.look()).toBe(2);
  expect(waiting.size).toBe(0);
  expect(gate.stops(held(3))).toBe(true);
  expect(gate.stops(held(4, 'other'))).toBe(false);
  set('mail', {});
  expect(gate.stops(held(5))).toBe(true);
  expect(done.filter((one) => one !== 'open')).toEqual([1, 2, 3, 5].map((n) => `refuse j${n} undefined`));
});
