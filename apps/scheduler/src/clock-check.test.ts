import { expect, test } from 'vitest';
import { ClockDifferenceError, readClock } from './clock-check.ts';

/** A clock that shows these times, one after the other. */
function clockOf(...times: number[]): () => number {
  return () => times.shift() ?? 0;
}

test('the difference is taken halfway through the question', async () => {
  const read = await readClock({ look: async () => ({ now: 1_060 }), clock: clockOf(1_000, 1_100) });
  expect(read).toEqual({ seen: { now: 1_060 }, offset: 10 });
});

test.each([
  [16_000, '6.0 s behind'],
  [4_000, '6.0 s ahead of'],
])('a clock at 10 s is refused where PostgreSQL has %i ms', async (now, words) => {
  const read = readClock({ look: async () => ({ now }), clock: clockOf(10_000, 10_000) });
  await expect(read).rejects.toThrow(ClockDifferenceError);
  await expect(read).rejects.toThrow(words);
});

test('a slow answer alone is no difference', async () => {
  const read = readClock({ look: async () => ({ now: 1_000 }), clock: clockOf(1_000, 13_000) });
  await expect(read).resolves.toEqual({ seen: { now: 1_000 }, offset: -6_000 });
});
