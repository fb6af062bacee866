import { expect, test } from 'vitest';
import { decodeQueueSettings, encodeQueueSettings, isPaused, isPurged } from './queue-settings.ts';

const whole = {
  version: 3,
  concurrency: 5,
  rateLimit: { limit: 10, periodMs: 1_000, burst: 2, per: 'queue' as const },
  maxDepth: 100,
  paused: { by: 'ops', note: 'mail is down', since: 1_000, until: 2_000 },
  purge: { upTo: 7, before: 900 },
};

test('settings are read as they were written, and equal ones are equal texts', () => {
  expect(decodeQueueSettings(encodeQueueSettings(whole))).toEqual(whole);
  expect(decodeQueueSettings(encodeQueueSettings({ version: 1 }))).toEqual({ version: 1 });
  const { version, concurrency, ...rest } = whole;
  expect(encodeQueueSettings({ ...rest, concurrency, version })).toBe(encodeQueueSettings(whole));
});

test.each([
  'no json',
  'null',
  '[]',
  '{}',
  '{"version":-1}',
  '{"version":1,"concurrency":0}',
  '{"version":1,"maxDepth":1.5}',
  '{"version":1,"rateLimit":{"limit":1}}',
  '{"version":1,"rateLimit":null}',
  '{"version":1,"rateLimit":{"limit":1,"periodMs":1,"burst":0}}',
  '{"version":1,"rateLimit":{"limit":1,"periodMs":1,"per":"worker"}}',
  '{"version":1,"paused":{"by":1,"since":1}}',
  '{"version":1,"paused":{"by":"a","since":1,"note":2}}',
  '{"version":1,"paused":{"by":"a","since":1,"until":"x"}}',
  '{"version":1,"paused":[]}',
  '{"version":1,"purge":{"upTo":1}}',
  '{"version":1,"purge":1}',
])('%s is no settings', (text) => {
  expect(decodeQueueSettings(text)).toBeUndefined();
});

test('a pause ends by itself, and one without an end does not', () => {
  expect(isPaused(undefined, 0)).toBe(false);
  expect(isPaused({ version: 1 }, 0)).toBe(false);
  expect(isPaused(whole, 1_999)).toBe(true);
  expect(isPaused(whole, 2_000)).toBe(false);
  expect(isPaused({ version: 1, paused: { by: 'ops', since: 1 } }, Number.MAX_SAFE_INTEGER)).toBe(true);
});

test('a message goes with a purge when it was there before, in that very stream', () => {
  expect(isPurged(whole, { seq: 7, storedAt: 900 })).toBe(true);
  expect(isPurged(whole, { seq: 8, storedAt: 900 })).toBe(false);
  expect(isPurged(whole, { seq: 7, storedAt: 901 })).toBe(false);
  expect(isPurged(whole, { seq: 7, storedAt: undefined })).toBe(true);
  expect(isPurged({ version: 1 }, { seq: 1, storedAt: 1 })).toBe(false);
  expect(isPurged(undefined, { seq: 1, storedAt: 1 })).toBe(false);
});
