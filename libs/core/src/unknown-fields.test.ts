import { expect, test } from 'vitest';
import { escapePointer, nearest, unknownFields } from './unknown-fields.ts';

test('an unknown field is named with its place, and with the known one that was probably meant', () => {
  expect(unknownFields({ delay: 1, dealy: 1, 'a/b~c': 1 }, ['delay', 'queue'], '/options')).toEqual([
    {
      pointer: '/options/dealy',
      code: 'unknown_field',
      message: '"dealy" is not known here, did you mean "delay"?',
      suggestion: 'delay',
    },
    {
      pointer: '/options/a~1b~0c',
      code: 'unknown_field',
      message: '"a/b~c" is not known here; known are delay, queue',
    },
  ]);
});

test.each([
  ['retries', 'retry'],
  ['Priority', 'priority'],
  ['prioritiy', 'priority'],
  ['qeue', 'queue'],
  ['isolation', undefined],
  ['', undefined],
  ['priority'.repeat(20), undefined],
])('nearest to %s is %s', (word, expected) => {
  expect(nearest(word, ['priority', 'retry', 'queue', 'timeout'])).toBe(expected);
});

test('what other systems call it leads to what it is called here, where it is known', () => {
  const suggested = (field: string, ...allowed: string[]) =>
    unknownFields({ [field]: 1 }, allowed).map(({ suggestion }) => suggestion);
  expect(suggested('eta', 'meta', 'runAt')).toEqual(['runAt']);
  expect(suggested('eta', 'meta')).toEqual(['meta']);
  expect(suggested('kwargs', 'input', 'queue')).toEqual(['input']);
});

test('a long unknown name is cut', () => {
  const [issue] = unknownFields({ ['y'.repeat(10_000)]: 1 }, ['queue']);
  expect(issue?.message.length).toBeLessThan(200);
  expect(issue?.pointer.length).toBeLessThan(200);
});

test('one known field is named in the singular', () => {
  expect(unknownFields({ a: 1 }, ['note'])).toMatchObject([
    { message: '"a" is not known here; known is note' },
  ]);
});

test('nothing is near where nothing is known', () => {
  expect(nearest('a', [])).toBeUndefined();
  expect(unknownFields({ a: 1 }, [])).toMatchObject([{ message: '"a" is not known here; remove it' }]);
  expect(escapePointer('~/')).toBe('~0~1');
});
