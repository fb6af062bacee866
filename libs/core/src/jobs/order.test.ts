import { expect, test } from 'vitest';
import { orderOf, PHASES } from './order.ts';

test('order goes by attempt, then run, then parks, then phase, and stays a whole number at its bounds', () => {
  const positions = [
    orderOf({ attempt: 1, run: 1, parks: 0 }, PHASES.queued),
    orderOf({ attempt: 1, run: 1, parks: 0 }, PHASES.ended),
    orderOf({ attempt: 1, run: 1, parks: 1 }, PHASES.queued),
    orderOf({ attempt: 1, run: 2, parks: 0 }, PHASES.queued),
    orderOf({ attempt: 2, run: 2, parks: 0 }, PHASES.queued),
    orderOf({ attempt: 1e9, run: 1e9, parks: 1e9 }, PHASES.ended),
  ];
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  expect(new Set(positions).size).toBe(positions.length);
  expect(positions.every(Number.isSafeInteger)).toBe(true);
});
