import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchStall } from './stall.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('an event loop that turns has no stall; one that stood is told of once, and trusted when all is read', async () => {
  const read = Promise.withResolvers<void>();
  const stalled: boolean[] = [];
  let ahead = 0;
  const stall = watchStall({
    now: () => Date.now() + ahead,
    flush: () => read.promise,
    onStall: () => stalled.push(stall.recent),
  });
  await vi.advanceTimersByTimeAsync(5_000);
  expect([stall.count(), stall.recent]).toEqual([0, false]);
  ahead = 1_000;
  expect([stall.count(), stall.count(), stall.recent]).toEqual([1, 1, true]);
  expect(stalled).toEqual([true]);
  read.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect([stall.count(), stall.recent]).toEqual([1, false]);
  stall.stop();
  expect(vi.getTimerCount()).toBe(0);
});
