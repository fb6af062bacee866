import { readSettings } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { policyJson } from './policy-json.ts';

test('a policy is shown as people write it, with whose word each part is', () => {
  const settings = readSettings({
    tasks: { 'a.*': { retry: { delay: ['10s', '1m'] } } },
    defaults: { timeout: { hard: '90s' } },
  });
  const task = { name: 'a.b', policy: { retry: { noRetryOn: ['Gone'] } }, seenAt: 0 };
  const tasks = new Map([[task.name, task]]);
  const call = { retry: { attempts: 2 }, concurrency: { key: 'host', limit: 3 }, onFailure: [{ task: 'c' }] };
  expect(
    policyJson({ task: 'a.b', queue: 'default', policy: call }, { settings, tasks, caller: {} }),
  ).toEqual({
    retry: { attempts: 2, delay: ['10s', '1m'], max: '10m', jitter: false, noRetryOn: ['Gone'] },
    timeout: { hard: '90s' },
    concurrencyKey: { key: 'host', limit: 3 },
    onSuccess: [],
    onFailure: [{ task: 'c' }],
    from: {
      'retry.attempts': 'call',
      'retry.delay': 'configuration',
      'retry.noRetryOn': 'task',
      'retry.max': 'built-in',
      'retry.jitter': 'built-in',
      'timeout.hard': 'defaults',
      concurrencyKey: 'call',
      onFailure: 'call',
      onSuccess: 'built-in',
    },
  });
});

test('what is built in, and a key that the task says', () => {
  const policy = { concurrency: { key: 'host', limit: 1, by: 'task' as const } };
  const shown = policyJson(
    { task: 'a', queue: 'q', policy },
    { settings: readSettings({}), tasks: new Map(), caller: {} },
  );
  expect(shown.retry).toEqual({
    attempts: 4,
    backoff: 'exponential',
    delay: '5s',
    factor: 2,
    max: '10m',
    jitter: true,
  });
  expect(shown.from).toMatchObject({ concurrencyKey: 'task', 'retry.factor': 'built-in' });
  const fixed = policyJson(
    { task: 'a', queue: 'q', policy: { retry: { backoff: 'fixed' }, timeout: { soft: 500 } } },
    { settings: readSettings({}), tasks: new Map(), caller: {} },
  );
  expect(fixed.retry).toEqual({ attempts: 4, backoff: 'fixed', delay: '5s', max: '10m', jitter: false });
  expect(fixed.timeout).toEqual({ soft: '500ms', hard: '1h' });
  expect(Object.keys(fixed.from)).not.toContain('retry.factor');
});

test('whoever is for some queues only is not told what goes into others, whoever has said it', () => {
  const settings = readSettings({
    queues: { mine: { onFailure: [{ task: 'alarm', queue: 'theirs' }, { task: 'note' }] } },
    routing: { 'of.them': 'theirs' },
  });
  const tasks = new Map([['note', { name: 'note', queue: 'mine', seenAt: 0 }]]);
  const webhook = { url: 'https://example.org/' };
  const onSuccess = [{ task: 'of.them' }, { task: 'of.them', queue: 'mine' }, { webhook }];
  const shown = (caller: { queues?: string[] }) => {
    const known = { settings, tasks, caller };
    const policy = policyJson({ task: 'a', queue: 'mine', policy: { onSuccess } }, known);
    return [policy.onSuccess, policy.onFailure];
  };
  expect(shown({ queues: ['mine'] })).toEqual([
    [{ task: 'of.them', queue: 'mine' }, { webhook }],
    [{ task: 'note' }],
  ]);
  expect(shown({})).toEqual([onSuccess, [{ task: 'alarm', queue: 'theirs' }, { task: 'note' }]]);
});
