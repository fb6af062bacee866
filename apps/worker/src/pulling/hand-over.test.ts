import type { Priority } from '@jetbeat/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Held } from '../held.ts';
import { createHandOver } from './hand-over.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A worker that has one pull out on each lane; the test says who waits in it and how many pulls there are. */
function bench() {
  const state = { waiting: [] as Held[], pulls: 1, asked: 0, refused: [] as string[], slow: 0 };
  const errors: unknown[] = [];
  const handOver = createHandOver({
    ready: {
      waiting: () => [...state.waiting],
      get size() {
        return state.waiting.length;
      },
      drop(held) {
        const place = state.waiting.indexOf(held);
        if (place >= 0) state.waiting.splice(place, 1);
        return place >= 0;
      },
    },
    sources: new Map([['q', { pulls: () => 1 }]]),
    pace: { slow: (ms) => (state.slow = ms) },
    async pullsOn() {
      state.asked++;
      if (state.pulls < 0) throw new Error('no answer');
      return state.pulls;
    },
    refuse: (held) => state.refused.push(held.job.id),
    onError: (error) => errors.push(error),
  });
  const add = (id: string, priority: Priority = 'normal') =>
    state.waiting.push({ job: { id, queue: 'q', priority } } as Held);
  return { state, errors, handOver, add };
}

const pass = () => vi.advanceTimersByTimeAsync(250);

test('what waits for long is given back where somebody else waits for jobs, the rest is not', async () => {
  const { state, handOver, add } = bench();
  add('a');
  add('b', 'high');
  state.pulls = 2;
  await pass();
  expect([state.refused, state.asked, state.slow]).toEqual([[], 0, 0]);
  add('c');
  await pass();
  expect(state).toMatchObject({ refused: ['a', 'b'], asked: 2, slow: 250 });
  handOver.stop();
  await pass();
  expect(state.refused).toEqual(['a', 'b']);
});

test('where all are busy nothing is given back, but the worker knows that jobs are long', async () => {
  const { state, add, handOver } = bench();
  add('a');
  await pass();
  await pass();
  expect(state).toMatchObject({ refused: [], asked: 1, slow: 250 });
  handOver.stop();
});

test('what has begun meanwhile stays', async () => {
  const { state, add, handOver } = bench();
  state.pulls = 2;
  add('a');
  await pass();
  state.waiting = [];
  await pass();
  expect(state).toMatchObject({ refused: [], asked: 0 });
  handOver.stop();
});

test('without an answer what waits stays, and it is asked again', async () => {
  const { state, errors, add, handOver } = bench();
  state.pulls = -1;
  add('a');
  await pass();
  await pass();
  expect([state.refused, errors.length]).toEqual([[], 1]);
  state.pulls = 2;
  await pass();
  expect(state.refused).toEqual(['a']);
  handOver.stop();
});
