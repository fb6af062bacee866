import { expect, test } from 'vitest';
import { BATCH_ACTIONS, batchPace, batchStates, pacedAfter } from './batch.ts';
import { isTerminal } from './job-state.ts';

test('each action is for jobs in states where it means something', () => {
  for (const action of BATCH_ACTIONS) {
    const { states = [] } = batchStates(action, undefined) as { states?: readonly string[] };
    expect(states.length).toBeGreaterThan(0);
    expect(states).not.toContain('succeeded');
    expect(states).not.toContain('cancelling');
  }
  expect(batchStates('cancel', ['queued', 'queued', 'running'])).toEqual({ states: ['queued', 'running'] });
  expect(batchStates('cancel', [])).toEqual(batchStates('cancel', undefined));
  expect(batchStates('retry', ['succeeded'])).toEqual({ states: ['succeeded'] });
});

test('states in which nothing can be done are told, with those in which it can', () => {
  expect(batchStates('discard', ['dead', 'queued'])).toEqual({ wrong: ['queued'], may: ['dead'] });
  const cancel = batchStates('cancel', ['dead']);
  expect('may' in cancel && cancel.may.every((state) => !isTerminal(state))).toBe(true);
});

test('a batch keeps to its rate, and makes up for no more than a second', () => {
  expect(batchPace({ rate: 10, pacedAt: 1_000, now: 1_000 })).toBe(0);
  expect(batchPace({ rate: 10, pacedAt: 1_000, now: 1_250 })).toBe(2);
  expect(batchPace({ rate: 10, pacedAt: 1_000, now: 60_000 })).toBe(10);
  expect(batchPace({ rate: 10, pacedAt: 2_000, now: 1_000 })).toBe(0);
  expect(pacedAfter({ rate: 10, pacedAt: 1_000, now: 1_250, taken: 2 })).toBe(1_200);
  expect(pacedAfter({ rate: 10, pacedAt: 1_000, now: 60_000, taken: 4 })).toBe(59_400);
  let pacedAt = 0;
  let taken = 0;
  for (let now = 0; now <= 10_000; now += 7) {
    const open = batchPace({ rate: 33, pacedAt, now });
    pacedAt = pacedAfter({ rate: 33, pacedAt, now, taken: open });
    taken += open;
  }
  expect(taken).toBeGreaterThanOrEqual(325);
  expect(taken).toBeLessThanOrEqual(330);
});
