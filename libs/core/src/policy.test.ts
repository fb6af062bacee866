import { expect, test } from 'vitest';
import { backoffBound, DEFAULT_POLICY, resolvePolicy, totalLimit } from './policy.ts';

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
