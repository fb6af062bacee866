import { expect, test } from 'vitest';
import type { Issue } from '../errors.ts';
import { areCallbacks, callbackKind } from './callback.ts';
import { readCallbacks } from './callback-input.ts';

function read(value: unknown) {
  const issues: Issue[] = [];
  const callbacks = readCallbacks(value, '/on', issues);
  return { callbacks, places: issues.map(({ pointer }) => pointer), text: issues[0]?.message };
}

class Gone extends Error {}

test('one or a list, tasks by name or themselves, in the form in which they travel', () => {
  expect(read(undefined)).toEqual({ callbacks: undefined, places: [], text: undefined });
  expect(read([]).callbacks).toEqual([]);
  expect(read({ task: 'a' }).callbacks).toEqual([{ task: 'a' }]);
  const retry = { attempts: 2, retryOn: [Gone, 'gone'] };
  const { callbacks } = read([
    { task: { name: 'a.b', run: () => 1 }, input: { at: new Date(0) }, retry, timeout: { hard: '1s' } },
    { webhook: { url: 'https://example.org/a?b', secret: 'it' }, queue: 'hooks', priority: 'low' },
    { task: 'a', pass: false, input: 5 },
  ]);
  expect(callbacks).toEqual([
    {
      task: 'a.b',
      input: { at: '1970-01-01T00:00:00.000Z' },
      retry: { attempts: 2, retryOn: ['Gone', 'gone'] },
      timeout: { hard: '1s' },
    },
    { webhook: { url: 'https://example.org/a?b', secret: 'it' }, queue: 'hooks', priority: 'low' },
    { task: 'a', pass: false, input: 5 },
  ]);
  expect(areCallbacks(callbacks)).toBe(true);
});

test.each([
  ['a', ['/on']],
  [{}, ['/on']],
  [{ task: 'a', webhook: { url: 'http://a' } }, ['/on']],
  [{ task: 'a b' }, ['/on/task']],
  [{ task: 5 }, ['/on/task']],
  [[{ task: 'a' }, { tusk: 'a' }], ['/on/1/tusk']],
  [{ task: 'a', input: 5 }, ['/on/input']],
  [{ task: 'a', input: { parent: 1 } }, ['/on/input']],
  [{ task: 'a', pass: false, input: () => 5 }, ['/on/input']],
  [{ task: 'a', input: { text: 'x'.repeat(20_000) } }, ['/on/input']],
  [{ task: 'a', pass: 1 }, ['/on/pass']],
  [{ task: 'a', queue: 'a b' }, ['/on/queue']],
  [{ task: 'a', priority: 'most' }, ['/on/priority']],
  [{ task: 'a', retry: { attempts: 0 } }, ['/on/retry/attempts']],
  [{ task: 'a', timeout: { hard: 'x' } }, ['/on/timeout/hard']],
  [{ webhook: 'http://a' }, ['/on/webhook']],
  [{ webhook: { url: 'a', secret: '' } }, ['/on/webhook/url', '/on/webhook/secret']],
  [{ webhook: { url: 'http://' } }, ['/on/webhook/url']],
  [{ webhook: { url: 'http://a', secrets: 'b' } }, ['/on/webhook/secrets']],
  [{ webhook: { url: 'http://a' }, input: {}, pass: true }, ['/on/input', '/on/pass']],
  [Array.from({ length: 11 }, () => ({ task: 'a' })), ['/on']],
])('%j is refused with its place', (value, places) => {
  expect(read(value).places).toEqual(places);
});

test('an input that is no JSON is refused', () => {
  expect(read({ task: 'a', input: { big: 5n } }).places).toEqual(['/on/input']);
});

test('from the wire only what can be made is taken', () => {
  for (const good of [undefined, [], [{ task: 'a' }], [{ webhook: { url: 'x' } }]])
    expect(areCallbacks(good)).toBe(true);
  for (const bad of [null, {}, [null], [{}], [{ task: '' }], [{ webhook: null }], [{ webhook: { url: 1 } }]])
    expect(areCallbacks(bad)).toBe(false);
  expect(areCallbacks([{ webhook: { url: 'x', secret: 1 } }])).toBe(false);
});

test('a job that was cancelled calls nothing', () => {
  const kinds = ['succeeded', 'dead', 'expired', 'cancelled', 'running'].map(callbackKind);
  expect(kinds).toEqual(['onSuccess', 'onFailure', 'onFailure', undefined, undefined]);
});
