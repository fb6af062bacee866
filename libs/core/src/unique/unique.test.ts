import { expect, test } from 'vitest';
import type { Issue } from '../errors.ts';
import { uniqueName } from './unique.ts';
import { readUnique } from './unique-input.ts';

function read(options: object) {
  const issues: Issue[] = [];
  const ask = readUnique(options, issues);
  return { ask, issues: issues.map(({ pointer, message }) => `${pointer} ${message}`) };
}

test('a key is held until the job is over, unless it is said otherwise', () => {
  const base = { key: 'a', scope: 'task', onConflict: 'existing' };
  expect(read({}).ask).toBeUndefined();
  expect(read({ uniqueKey: 'a' }).ask).toEqual({ ...base, mode: 'unfinished' });
  expect(
    read({ uniqueKey: { key: 'a', while: 'queued', scope: 'queue', onConflict: 'replace' } }).ask,
  ).toEqual({
    key: 'a',
    scope: 'queue',
    onConflict: 'replace',
    mode: 'queued',
  });
  expect(read({ uniqueKey: { key: 'a', for: '1h' } }).ask).toEqual({
    ...base,
    mode: 'period',
    forMs: 3_600_000,
  });
  expect(read({ throttle: { key: 'a', period: '1m', scope: 'global' } }).ask).toEqual({
    key: 'a',
    scope: 'global',
    onConflict: 'existing',
    mode: 'throttle',
    forMs: 60_000,
  });
  expect(read({ debounce: { key: 'a', delay: '5s', maxWait: '1m' } }).ask).toEqual({
    key: 'a',
    scope: 'task',
    onConflict: 'replace',
    mode: 'debounce',
    delayMs: 5_000,
    maxWaitMs: 60_000,
  });
  expect(read({ keepLast: 'a' }).ask).toEqual({ ...base, onConflict: 'replace', mode: 'last' });
});

test.each([
  [{ uniqueKey: '' }, '/uniqueKey a key is a text of 1 to 256 characters, none a control character'],
  [{ uniqueKey: 'a\u0000' }, '/uniqueKey a key is a text of 1 to 256 characters, none a control character'],
  [{ uniqueKey: 'a\ud800' }, '/uniqueKey a key is a text of 1 to 256 characters, none a control character'],
  [
    { uniqueKey: { key: 'x'.repeat(257) } },
    '/uniqueKey/key a key is a text of 1 to 256 characters, none a control character',
  ],
  [{ uniqueKey: 7 }, '/uniqueKey this is an object of key, while, for, scope, onConflict'],
  [
    { uniqueKey: { key: 'a', until: 'x' } },
    '/uniqueKey/until "until" is not known here; known are key, while, for, scope, onConflict',
  ],
  [{ uniqueKey: { key: 'a', while: 'running' } }, '/uniqueKey/while while is unfinished or queued'],
  [
    { uniqueKey: { key: 'a', while: 'queued', for: '1h' } },
    '/uniqueKey/while while and for exclude each other',
  ],
  [
    { uniqueKey: { key: 'a', for: '1h', onConflict: 'replace' } },
    '/uniqueKey/onConflict for a period the first call wins: nothing is replaced',
  ],
  [{ uniqueKey: { key: 'a', for: '0s' } }, '/uniqueKey/for this must be longer than nothing'],
  [{ uniqueKey: { key: 'a', scope: 'all' } }, '/uniqueKey/scope scope is one of task, queue, global'],
  [
    { uniqueKey: { key: 'a', onConflict: 'drop' } },
    '/uniqueKey/onConflict onConflict is existing or replace',
  ],
  [{ throttle: { key: 'a' } }, '/throttle/period period is a duration such as "1m"'],
  [{ throttle: 'a' }, '/throttle this is an object of key, period, scope'],
  [{ debounce: { key: 'a' } }, '/debounce/delay delay is a duration such as "5s"'],
  [
    { debounce: { key: 'a', delay: '5s', maxWait: '4s' } },
    '/debounce/maxWait maxWait must not be shorter than delay',
  ],
  [
    { debounce: { key: 'a', delay: '5s' }, runAt: 1 },
    '/runAt debounce and runAt exclude each other: keep one',
  ],
  [{ debounce: 'a' }, '/debounce this is an object of key, delay, maxWait, scope'],
  [{ keepLast: '' }, '/keepLast a key is a text of 1 to 256 characters, none a control character'],
  [
    { keepLast: 'a', concurrencyKey: 'b' },
    '/concurrencyKey keepLast and concurrencyKey exclude each other: keep one',
  ],
  [
    { uniqueKey: 'a', throttle: { key: 'a', period: '1m' } },
    '/throttle uniqueKey and throttle exclude each other: keep one',
  ],
])('%j is refused: %s', (options, issue) => {
  expect(read(options).issues).toEqual([issue]);
});

test('the scope says among which jobs a key is unique, and a throttle is apart', () => {
  const job = { task: 'mail.send', queue: 'mail' };
  const of = (scope: 'task' | 'queue' | 'global', other: Partial<typeof job> = {}) =>
    uniqueName({ key: 'a', scope, mode: 'unfinished' }, { ...job, ...other });
  expect(of('task')).toBe(of('task', { queue: 'other' }));
  expect(of('task')).not.toBe(of('task', { task: 'other' }));
  expect(of('queue')).toBe(of('queue', { task: 'other' }));
  expect(of('queue')).not.toBe(of('queue', { queue: 'other' }));
  expect(of('global')).toBe(of('global', { task: 'other', queue: 'other' }));
  expect(uniqueName({ key: 'a', scope: 'task', mode: 'throttle' }, job)).not.toBe(of('task'));
  expect(new Set([of('task'), of('queue'), of('global')]).size).toBe(3);
});
