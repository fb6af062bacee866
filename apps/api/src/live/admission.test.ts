import { expect, test } from 'vitest';
import type { Caller } from '../access/caller.ts';
import { callerKey, createAdmission } from './admission.ts';

const caller = (id: string): Caller => ({ kind: 'key', id, name: id, role: 'viewer', payloads: true });

test('a key has so many streams, and all keys together; one that ends makes room', () => {
  const admission = createAdmission({ streams: 3, perCaller: 2 });
  const leave = admission.admit(caller('a'));
  admission.admit(caller('a'));
  const tooMany = expect.objectContaining({ code: 'too_many_streams', retryAfter: 10 });
  expect(() => admission.admit(caller('a'))).toThrow(tooMany);
  admission.admit(caller('b'));
  expect(() => admission.admit(caller('c'))).toThrow(expect.objectContaining({ code: 'overloaded' }));
  expect(admission.callers.map(({ id }) => id)).toEqual(['a', 'b']);
  leave();
  leave();
  expect(admission.count).toBe(2);
  admission.admit(caller('c'));
  expect(admission.callers.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
});

test('a key whose secret was replaced is another one', () => {
  const admission = createAdmission({ streams: 2, perCaller: 2 });
  const [before, after] = ['h1', 'h2'].map((hash) => ({ ...caller('a'), hash }));
  if (!before || !after) throw new Error('there are two');
  admission.admit(before);
  admission.admit(after);
  expect(admission.callers).toEqual([before, after]);
  expect(callerKey(before)).not.toBe(callerKey(after));
});

test('a key has no more streams for being signed in with, nor a person for being signed in often', () => {
  const admission = createAdmission({ streams: 9, perCaller: 2 });
  const session = (id: string, holder: string): Caller => ({ ...caller(id), kind: 'session', holder });
  admission.admit(caller('a'));
  const leave = admission.admit(session('s1', 'key a'));
  const tooMany = expect.objectContaining({ code: 'too_many_streams' });
  for (const each of [caller('a'), session('s1', 'key a'), session('s2', 'key a')])
    expect(() => admission.admit(each)).toThrow(tooMany);
  admission.admit(session('s3', 'person i ann'));
  leave();
  leave();
  admission.admit(session('s2', 'key a'));
  expect(() => admission.admit(caller('a'))).toThrow(tooMany);
  expect(admission.callers.map(({ id }) => id)).toEqual(['a', 's3', 's2']);
});
