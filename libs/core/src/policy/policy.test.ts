import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BACKOFFS, backoffBound, DEFAULT_POLICY, resolvePolicy, totalLimit } from './policy.ts';

test('the call wins over the task, and the task over the defaults, field by field', () => {
  const policy = resolvePolicy(
    { retry: { attempts: 9 } },
    { retry: { attempts: 2, delay: 1 }, timeout: { hard: 7 } },
    undefined,
  );
  expect(policy.retry).toEqual({ ...DEFAULT_POLICY.retry, attempts: 9, delay: 1 });
  expect(policy.timeout).toEqual({ hard: 7 });
  expect(resolvePolicy()).toEqual(DEFAULT_POLICY);
});

test('a soft limit that is no shorter than the hard one is left out', () => {
  expect(resolvePolicy({ timeout: { soft: 5 } }, { timeout: { hard: 6 } }).timeout).toEqual({
    soft: 5,
    hard: 6,
  });
  expect(resolvePolicy({ timeout: { hard: 5 } }, { timeout: { soft: 5 } }).timeout).toEqual({ hard: 5 });
});

test('delays grow by the factor up to their bound', () => {
  const retry = { ...DEFAULT_POLICY.retry, delay: 100, factor: 3, max: 1_000 };
  expect([1, 2, 3, 4, 400].map((attempt) => backoffBound(retry, attempt))).toEqual([
    100, 300, 900, 1_000, 1_000,
  ]);
});

test('a job takes at most all its attempts and the delays between them', () => {
  const retry = { ...DEFAULT_POLICY.retry, attempts: 3, delay: 100, factor: 3, max: 200 };
  expect(totalLimit({ retry, timeout: { hard: 1_000 } })).toBe(3 * 1_000 + 100 + 200);
  expect(totalLimit({ retry: { ...retry, attempts: 1 }, timeout: { hard: 1_000 } })).toBe(1_000);
});

test('fixed delays stay, linear ones grow by themselves, a list is gone through and its last repeats', () => {
  const retry = { ...DEFAULT_POLICY.retry, delay: 100, max: 1_000 };
  const bounds = (change: object) =>
    [1, 2, 3, 4, 400].map((attempt) => backoffBound({ ...retry, ...change }, attempt));
  expect(bounds({ backoff: 'fixed' })).toEqual([100, 100, 100, 100, 100]);
  expect(bounds({ backoff: 'linear' })).toEqual([100, 200, 300, 400, 1_000]);
  expect(bounds({ delay: [5, 700, 2_000] })).toEqual([5, 700, 1_000, 1_000, 1_000]);
  expect(bounds({ delay: [] })).toEqual([0, 0, 0, 0, 0]);
  expect(bounds({ delay: 0, factor: 100 })).toEqual([0, 0, 0, 0, 0]);
});

test('whoever names exact delays gets them: unasked only exponential ones are jittered', () => {
  const jitterOf = (retry: object) => resolvePolicy({ retry }).retry.jitter;
  expect([jitterOf({}), jitterOf({ delay: 9 }), jitterOf({ factor: 3 })]).toEqual([true, true, true]);
  expect([jitterOf({ backoff: 'fixed' }), jitterOf({ backoff: 'linear' }), jitterOf({ delay: [1] })]).toEqual(
    [...[false, false, false]],
  );
  expect(jitterOf({ backoff: 'fixed', jitter: true })).toBe(true);
  expect(resolvePolicy({ retry: { backoff: 'fixed' } }, { retry: { jitter: true } }).retry.jitter).toBe(true);
});

test('the built-in bound cuts no delay that was asked for; a stated one does', () => {
  const hour = 3_600_000;
  expect(resolvePolicy({ retry: { delay: hour } }).retry.max).toBe(hour);
  expect(resolvePolicy({ retry: { delay: [1, hour] } }).retry.max).toBe(hour);
  expect(resolvePolicy({ retry: { delay: 1 } }).retry.max).toBe(600_000);
  expect(resolvePolicy({ retry: { delay: hour } }, { retry: { max: 7 } }).retry.max).toBe(7);
});

test('how delays grow, said above a list, counts from its first', () => {
  const list = { retry: { delay: [100, 900] } };
  expect(resolvePolicy({ retry: { backoff: 'fixed' } }, list).retry).toMatchObject({
    backoff: 'fixed',
    delay: 100,
  });
  expect(resolvePolicy({ retry: { factor: 3 } }, list).retry).toMatchObject({ factor: 3, delay: 100 });
  expect(resolvePolicy({ retry: { factor: 3 } }, { retry: { delay: [] } }).retry.delay).toBe(0);
  expect(resolvePolicy(list, { retry: { backoff: 'linear' } }).retry.delay).toEqual([100, 900]);
  expect(resolvePolicy({ retry: { attempts: 9 } }, list).retry.delay).toEqual([100, 900]);
});

const duration = fc.integer({ min: 0, max: 3_600_000 });
const layer = fc.record(
  {
    attempts: fc.integer({ min: 1, max: 50 }),
    backoff: fc.constantFrom(...BACKOFFS),
    delay: fc.oneof(duration, fc.array(duration, { minLength: 1, maxLength: 5 })),
    factor: fc.double({ min: 1, max: 100, noNaN: true }),
    max: duration,
    jitter: fc.boolean(),
  },
  { requiredKeys: [] },
);

test('whatever layers say, delays are within their bound, never fall but in a list, and add up', () => {
  fc.assert(
    fc.property(fc.array(layer, { maxLength: 4 }), (layers) => {
      const policy = resolvePolicy(...layers.map((retry) => ({ retry })));
      const { retry } = policy;
      const bounds = Array.from({ length: 60 }, (_, index) => backoffBound(retry, index + 1));
      for (const [index, bound] of bounds.entries()) {
        expect(bound).toBeGreaterThanOrEqual(0);
        expect(bound).toBeLessThanOrEqual(retry.max);
        if (typeof retry.delay === 'number') expect(bound).toBeGreaterThanOrEqual(bounds[index - 1] ?? 0);
        else expect(bound).toBe(Math.min(retry.max, retry.delay[index] ?? retry.delay.at(-1) ?? 0));
      }
      const waits = bounds.slice(0, retry.attempts - 1).reduce((sum, bound) => sum + bound, 0);
      expect(totalLimit(policy)).toBeCloseTo(retry.attempts * policy.timeout.hard + waits);
      // What the first layer says holds.
      expect(retry).toMatchObject(layers[0] ?? {});
    }),
  );
});
