import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTokenBuckets } from './token-buckets.ts';

const rate = { limit: 2, periodMs: 1_000, burst: 3 };

test('a burst at once, then as many as the rate allows', () => {
  const buckets = createTokenBuckets({ rate, max: 10 });
  expect([1, 2, 3].map(() => buckets.take('a', 0).remaining)).toEqual([2, 1, 0]);
  expect(buckets.take('a', 0)).toEqual({ allowed: false, remaining: 0, waitMs: 500, fullMs: 1_500 });
  expect(buckets.take('a', 499).allowed).toBe(false);
  expect(buckets.take('a', 500)).toMatchObject({ allowed: true, remaining: 0, waitMs: 500 });
  expect(buckets.take('b', 500).remaining).toBe(2);
  expect(buckets.take('a', 10_000).remaining).toBe(2);
});

test('looking takes nothing', () => {
  const buckets = createTokenBuckets({ rate, max: 10 });
  for (let times = 0; times < 5; times++) expect(buckets.look('a', 0)).toMatchObject({ allowed: true });
  expect(buckets.size).toBe(0);
});

test('in no period there are more than limit and burst together', () => {
  const gaps = fc.array(fc.nat(700), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(gaps, (all) => {
      const buckets = createTokenBuckets({ rate, max: 10 });
      const taken: number[] = [];
      let now = 0;
      for (const gap of all) {
        now += gap;
        if (buckets.take('a', now).allowed) taken.push(now);
      }
      for (const from of taken)
        expect(taken.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(5);
    }),
  );
});

test('names are bounded: full buckets are forgotten first, then the oldest', () => {
  const buckets = createTokenBuckets({ rate, max: 3 });
  for (const name of ['a', 'b', 'c']) buckets.take(name, 0);
  buckets.take('d', 100);
  expect([buckets.size, buckets.look('a', 100).remaining]).toEqual([3, 3]);
  buckets.take('e', 5_000);
  expect(buckets.size).toBe(1);
});
