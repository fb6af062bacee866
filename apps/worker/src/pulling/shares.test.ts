import { PRIORITIES, type Priority } from '@jetbeat/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createShares, SHARES } from './shares.ts';

const always = () => true;

/** Takes one at a time of those that have something, and says of which. */
function take(count: number, has: (priority: Priority) => boolean = always): Priority[] {
  const shares = createShares();
  return Array.from({ length: count }, () => {
    const next = shares.next(has) ?? 'low';
    shares.took(next, 1);
    return next;
  });
}

test('of ten jobs six are high, three normal, one low, well mixed', () => {
  expect(take(10).join(' ')).toBe('high normal high low high high normal high normal high');
});

test('where nothing is high, normal has its share too: low keeps one of ten', () => {
  const taken = take(100, (priority) => priority !== 'high');
  expect(taken.filter((priority) => priority === 'low')).toHaveLength(10);
});

test('a high job that comes now and then is next, whatever the others are due', () => {
  const shares = createShares();
  for (let round = 0; round < 100; round++) {
    for (let normal = 0; normal < round % 7; normal++)
      shares.took(shares.next((priority) => priority !== 'high') ?? 'high', 1);
    expect(shares.next(always)).toBe('high');
    shares.took('high', 1);
    // As long as it takes a lane that was asked to answer that it has nothing.
    shares.took(shares.next((priority) => priority !== 'high') ?? 'high', 1);
  }
});

test('what was counted and has not come is given back', () => {
  const shares = createShares();
  shares.took('high', 500);
  shares.took('high', -500);
  expect(shares.next(always)).toBe('high');
});

test('nobody is next where nobody has anything', () => {
  expect(createShares().next(() => false)).toBeUndefined();
});

const step = fc.record({
  size: fc.integer({ min: 1, max: 64 }),
  empty: fc.subarray([...PRIORITIES]),
});

test('whoever always has something gets its share, however the others come and go, and however much is taken at once', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PRIORITIES),
      fc.array(step, { minLength: 50, maxLength: 400 }),
      (steady, steps) => {
        const shares = createShares();
        const taken: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
        for (const { size, empty } of steps) {
          const next = shares.next((priority) => priority === steady || !empty.includes(priority));
          if (next === undefined) throw new Error('nobody is next');
          expect(next === steady || !empty.includes(next)).toBe(true);
          shares.took(next, size);
          taken[next] += size;
        }
        const all = taken.high + taken.normal + taken.low;
        // It may lack a turn or two of the largest size, and no more.
        expect(taken[steady]).toBeGreaterThanOrEqual((all * SHARES[steady]) / 10 - 2 * 64);
      },
    ),
  );
});
