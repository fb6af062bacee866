import { expect, test } from 'vitest';
import { readPolicy } from '../policy/policy-input.ts';

const read = (rateLimit: unknown) => {
  const { policy, issues } = readPolicy({ rateLimit });
  return issues.length > 0 ? issues.map(({ pointer, message }) => `${pointer}: ${message}`) : policy.rate;
};

test('the rate of a task', () => {
  expect(read({ limit: 100, period: '1m' })).toEqual({ limit: 100, periodMs: 60_000, per: 'task' });
  expect(read({ limit: 1, period: '1.5s', burst: 4, per: 'key' })).toEqual({
    limit: 1,
    periodMs: 1_500,
    burst: 4,
    per: 'key',
  });
  expect(read(undefined)).toBeUndefined();
});

test('everything that is wrong with a rate is named', () => {
  expect(read({ limit: 0, period: '10ms', burst: 1.5, per: 'queue' })).toEqual([
    '/rateLimit/limit: limit is a whole number from 1 to 1000000',
    '/rateLimit/burst: burst is a whole number from 1 to 1000000',
    '/rateLimit/per: per is one of task, key',
    '/rateLimit/period: period is from 1s to 1d',
  ]);
  expect(read({ limit: 1, period: '2d' })).toEqual(['/rateLimit/period: period is from 1s to 1d']);
  expect(read({ limit: 1 })).toEqual([expect.stringMatching(/^\/rateLimit\/period: .*is not a duration/)]);
  expect(read('10/day')).toEqual([
    '/rateLimit: this is an object of limit, period, burst, per, such as {"limit": 10, "period": "1m"}',
  ]);
  expect(read('10/m')).toEqual([
    '/rateLimit: a rate is an object: did you mean {"limit": 10, "period": "1m"}?',
  ]);
  expect(read(5)).toEqual(['/rateLimit: a rate is an object: did you mean {"limit": 5, "period": "1s"}?']);
  expect(read({ limit: 1, perod: '1s', period: '1s' })).toEqual([
    expect.stringMatching(/^\/rateLimit\/perod: /),
  ]);
});
