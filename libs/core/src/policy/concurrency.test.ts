import { expect, test } from 'vitest';
import type { Issue } from '../errors.ts';
import { concurrencyHash, isConcurrency, readConcurrency } from './concurrency.ts';

function read(value: unknown) {
  const issues: Issue[] = [];
  return {
    read: readConcurrency(value, '/concurrencyKey', issues),
    wrong: issues.map(({ pointer }) => pointer),
  };
}

test('a key alone means one job at a time; what is wrong is named', () => {
  expect(read(undefined)).toEqual({ read: undefined, wrong: [] });
  expect(read('host-7')).toEqual({ read: { key: 'host-7', limit: 1 }, wrong: [] });
  expect(read({ key: 'host 7 ü', limit: 3 })).toEqual({ read: { key: 'host 7 ü', limit: 3 }, wrong: [] });
  expect(read({ key: 'a' })).toEqual({ read: { key: 'a', limit: 1 }, wrong: [] });
  const key = ['/concurrencyKey'];
  for (const wrong of ['', 'x'.repeat(257), 'a\0b', '\ud800']) expect(read(wrong).wrong).toEqual(key);
  expect(read(7).wrong).toEqual(key);
  expect(read({ limit: 1 }).wrong).toEqual(['/concurrencyKey/key']);
  for (const limit of [0, 1.5, '2', 1_001, null])
    expect(read({ key: 'a', limit })).toEqual({ read: undefined, wrong: ['/concurrencyKey/limit'] });
  expect(read({ key: 'a', most: 1 }).wrong).toEqual(['/concurrencyKey/most']);
});

test('what came with a message is checked too', () => {
  expect(isConcurrency({ key: 'a', limit: 1 })).toBe(true);
  for (const wrong of [null, 'a', {}, { key: 'a' }, { key: '', limit: 1 }, { key: 'a', limit: 0 }])
    expect(isConcurrency(wrong)).toBe(false);
});

test('keys have names that fit into a subject', () => {
  expect(concurrencyHash('a.b *>')).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(concurrencyHash('a')).not.toBe(concurrencyHash('b'));
});
