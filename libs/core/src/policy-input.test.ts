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
  [{ retry: { backoff: 'linear' } }, '/job/retry/backoff'],
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
