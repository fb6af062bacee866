import { expect, test } from 'vitest';
import type { JobEnvelope } from '../jobs/envelope.ts';
import { keyFor, withTaskKey } from './key-template.ts';

test('places of the input stand for its texts, numbers and truth values', () => {
  const input = { host: 'db-7', account: { id: 12, open: true }, hosts: ['a'] };
  expect(keyFor('host-{input.host}', input)).toBe('host-db-7');
  expect(keyFor('{input.account.id}/{input.account.open}/{input.hosts.0}', input)).toBe('12/true/a');
  expect(keyFor('all', input)).toBe('all');
  expect(keyFor('{input}', 'db-7')).toBe('db-7');
  expect(keyFor('{other}-{input.host', input)).toBe('{other}-{input.host');
});

test('a place that the input does not have stays as it is written', () => {
  for (const input of [{}, { host: null }, { host: {} }, null, 7, 'text'])
    expect(keyFor('host-{input.host}', input)).toBe('host-{input.host}');
  expect(keyFor('{input.toString}', {})).toBe('{input.toString}');
  expect(keyFor('{input.a.b}', { a: 'text' })).toBe('{input.a.b}');
});

test('a key is never empty, too long, or what PostgreSQL cannot keep', () => {
  expect(keyFor('{input}', '')).toBe('{input}');
  expect(keyFor('{input}', 'a\0b')).toBe('a\ufffdb');
  const long = keyFor('{input}', 'x'.repeat(300));
  expect(long).toMatch(/^x{200}…[\w-]{22}$/);
  expect(keyFor('{input}', 'x'.repeat(301))).not.toBe(long);
});

test('the key in a call wins; what a task said before is said anew', () => {
  const plain = { input: { host: 'a' } } as unknown as JobEnvelope;
  const said = { key: 'host-{input.host}', limit: 2 };
  const keyed = withTaskKey(plain, said);
  expect(keyed.policy).toEqual({ concurrency: { key: 'host-a', limit: 2, by: 'task' } });
  expect(withTaskKey(keyed, { key: 'all', limit: 3 }).policy).toEqual({
    concurrency: { key: 'all', limit: 3, by: 'task' },
  });
  expect(withTaskKey(keyed, undefined)).toEqual(plain);
  expect(withTaskKey(plain, undefined)).toBe(plain);
  const tried = { ...keyed, policy: { ...keyed.policy, retry: { attempts: 2 } } };
  expect(withTaskKey(tried, undefined).policy).toEqual({ retry: { attempts: 2 } });
  const called = { ...plain, policy: { concurrency: { key: 'mine', limit: 1 } } };
  expect(withTaskKey(called, said)).toBe(called);
});
