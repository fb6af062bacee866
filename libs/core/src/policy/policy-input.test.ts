import { expect, test } from 'vitest';
import { readPolicy } from './policy-input.ts';

test('durations become milliseconds, and what is left out stays out', () => {
  expect(readPolicy({})).toEqual({ policy: {}, issues: [] });
  expect(readPolicy({ retry: {}, timeout: {} })).toEqual({ policy: { retry: {}, timeout: {} }, issues: [] });
  const retry = { attempts: 3, backoff: 'exponential', delay: '0s', factor: 1.5, max: '1m', jitter: false };
  expect(readPolicy({ retry, timeout: { soft: '1s', hard: '2s' } })).toEqual({
    policy: { retry: { ...retry, delay: 0, max: 60_000 }, timeout: { soft: 1_000, hard: 2_000 } },
    issues: [],
  });
});

test.each([
  [{ retry: 3 }, '/job/retry'],
  [{ retry: null }, '/job/retry'],
  [{ timeout: ['1h'] }, '/job/timeout'],
  [{ retry: { attempts: 0 } }, '/job/retry/attempts'],
  [{ retry: { attempts: 1_001 } }, '/job/retry/attempts'],
  [{ retry: { attempts: 1.5 } }, '/job/retry/attempts'],
  [{ retry: { attempts: '3' } }, '/job/retry/attempts'],
  [{ retry: { backoff: 'quadratic' } }, '/job/retry/backoff'],
  [{ retry: { delay: [] } }, '/job/retry/delay'],
  [{ retry: { delay: Array.from({ length: 101 }, () => '1s') } }, '/job/retry/delay'],
  [{ retry: { delay: ['1s', null] } }, '/job/retry/delay/1'],
  [{ retry: { delay: ['1s', 'soon'] } }, '/job/retry/delay/1'],
  [{ retry: { delay: ['1s'], backoff: 'fixed' } }, '/job/retry/backoff'],
  [{ retry: { delay: ['1s'], factor: 2 } }, '/job/retry/factor'],
  [{ retry: { backoff: 'linear', factor: 2 } }, '/job/retry/factor'],
  [{ retry: { backoff: 'fixed', factor: 2 } }, '/job/retry/factor'],
  [{ retry: { delay: '2m', max: '1m' } }, '/job/retry/max'],
  [{ retry: { delay: ['1s', '2m'], max: '1m' } }, '/job/retry/max'],
  [{ retry: { retryOn: [] } }, '/job/retry/retryOn'],
  [{ retry: { retryOn: 'TypeError' } }, '/job/retry/retryOn'],
  [{ retry: { retryOn: [''] } }, '/job/retry/retryOn/0'],
  [{ retry: { retryOn: [() => 1] } }, '/job/retry/retryOn/0'],
  [{ retry: { noRetryOn: [5] } }, '/job/retry/noRetryOn/0'],
  [{ retry: { noRetryOn: ['x'.repeat(129)] } }, '/job/retry/noRetryOn/0'],
  [{ retry: { noRetryOn: Array.from({ length: 65 }, () => 'E') } }, '/job/retry/noRetryOn'],
  [{ retry: { retyrOn: ['E'] } }, '/job/retry/retyrOn'],
  [{ expires: 'soon' }, '/job/expires'],
  [{ expires: '0s' }, '/job/expires'],
  [{ retry: { factor: 0 } }, '/job/retry/factor'],
  [{ retry: { factor: 101 } }, '/job/retry/factor'],
  [{ retry: { jitter: 'yes' } }, '/job/retry/jitter'],
  [{ retry: { delay: '5 s' } }, '/job/retry/delay'],
  [{ retry: { max: 5 } }, '/job/retry/max'],
  [{ retry: { tries: 5 } }, '/job/retry/tries'],
  [{ timeout: { hard: '0s' } }, '/job/timeout/hard'],
  [{ timeout: { soft: '1h', hard: '1h' } }, '/job/timeout/soft'],
  [{ timeout: { hrad: '1h' } }, '/job/timeout/hrad'],
])('%j is refused at %s', (input, pointer) => {
  const { issues } = readPolicy(input, '/job');
  expect(issues.map((issue) => issue.pointer)).toEqual([pointer]);
});

test('a list of delays, kinds of backoff, and what is tried again', () => {
  class Refused extends Error {}
  const read = (retry: object) => readPolicy({ retry });
  expect(read({ delay: ['1s', '5m'], max: '5m', jitter: true })).toEqual({
    policy: { retry: { delay: [1_000, 300_000], max: 300_000, jitter: true } },
    issues: [],
  });
  for (const backoff of ['fixed', 'linear', 'exponential'])
    expect(read({ backoff, delay: '1s' })).toEqual({
      policy: { retry: { backoff, delay: 1_000 } },
      issues: [],
    });
  expect(read({ retryOn: [Refused, 'ECONNRESET'], noRetryOn: [] })).toEqual({
    policy: { retry: { retryOn: ['Refused', 'ECONNRESET'], noRetryOn: [] } },
    issues: [],
  });
  expect(readPolicy({ expires: '3h' })).toEqual({ policy: { expires: 10_800_000 }, issues: [] });
});

test('a slip of the pen is named with what was meant', () => {
  expect(readPolicy({ retry: { noretryOn: ['E'] } }).issues).toMatchObject([{ suggestion: 'noRetryOn' }]);
});

test('callbacks are read with the rest', () => {
  expect(readPolicy({ onSuccess: { task: 'a' }, onFailure: [] })).toEqual({
    policy: { onSuccess: [{ task: 'a' }], onFailure: [] },
    issues: [],
  });
  expect(readPolicy({ onFailure: [{ tusk: 'a' }] }, '/job').issues).toMatchObject([
    { pointer: '/job/onFailure/0/tusk', suggestion: 'task' },
  ]);
});
