import { expect, test } from 'vitest';
import { explainPolicy } from './explain-policy.ts';
import type { ConfiguredTask } from './settings.ts';
import { policyOf } from './settings.ts';

const configured: ConfiguredTask = {
  over: { policy: { retry: { delay: [1_000, 2_000] }, onFailure: [] } },
  under: {
    policy: { retry: { attempts: 9 }, timeout: { hard: 1_000, soft: 500 }, onSuccess: [{ task: 'd' }] },
  },
};

test('each part says whose word it is, and all of it is what holds', () => {
  const call = { retry: { attempts: 2 } };
  const task = { retry: { noRetryOn: ['Gone'], delay: 5 }, timeout: { hard: 60_000 } };
  const explained = explainPolicy({ call, configured, task, queue: { onSuccess: [{ task: 'q' }] } });
  const { retry, timeout } = explained;
  expect({ retry, timeout }).toEqual(policyOf(call, configured, task));
  expect(explained.callbacks).toEqual({ onSuccess: [{ task: 'q' }], onFailure: [] });
  expect(explained.from).toEqual({
    retry: {
      attempts: 'call',
      delay: 'configuration',
      noRetryOn: 'task',
      backoff: 'built-in',
      factor: 'built-in',
      max: 'built-in',
      jitter: 'built-in',
    },
    timeout: { hard: 'task', soft: 'defaults' },
    callbacks: { onSuccess: 'queue', onFailure: 'configuration' },
  });
});

test('where nobody says anything, all of it is built in', () => {
  const { from, callbacks } = explainPolicy({ configured: { over: {}, under: {} } });
  expect(new Set(Object.values(from.retry))).toEqual(new Set(['built-in']));
  expect(from.timeout).toEqual({ hard: 'built-in' });
  expect(callbacks).toEqual({ onSuccess: [], onFailure: [] });
  expect(from.callbacks).toEqual({ onSuccess: 'built-in', onFailure: 'built-in' });
});

test('a soft limit that means nothing beside a shorter hard one is not shown', () => {
  const explained = explainPolicy({ call: { timeout: { hard: 100 } }, configured });
  expect(explained.timeout).toEqual({ hard: 100 });
  expect(explained.from.timeout).toEqual({ hard: 'call' });
});
