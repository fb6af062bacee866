import { expect, test } from 'vitest';
import { escapePointer, meantOf, nearest, unknownFields } from './unknown-fields.ts';

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
  // Each step of the distance is bounded: as long, and far off; near, and yet beyond what another is off.
  ['abcdefgh', undefined],
  ['timeoutt', 'timeout'],
  ['retrx', 'retry'],
])('nearest to %s is %s', (word, expected) => {
  expect(nearest(word, ['priority', 'retry', 'queue', 'timeout'])).toBe(expected);
});

test('what is longer than a slip may be is not meant: comparing costs the product of both lengths', () => {
  expect(nearest('a'.repeat(64), [`${'a'.repeat(64)}b`])).toBeUndefined();
  expect(nearest('a'.repeat(64), [`${'a'.repeat(63)}b`])).toBe(`${'a'.repeat(63)}b`);
  // A known one that is too long to be meant is passed over, and the next one looked at.
  expect(nearest('mail', ['m'.repeat(65), 'mails'])).toBe('mails');
});

test('what other systems call it leads to what it is called here, where it is known', () => {
  const suggested = (field: string, ...allowed: string[]) =>
    unknownFields({ [field]: 1 }, allowed).map(({ suggestion }) => suggestion);
  expect(suggested('eta', 'meta', 'runAt')).toEqual(['runAt']);
  // A word of theirs is no slip of another one, unless that goes on from it.
  expect(suggested('eta', 'meta')).toEqual([undefined]);
  expect(suggested('eta', 'name', 'when')).toEqual(['when']);
  expect(meantOf('schedule', ['jobs', 'schedules'])).toBe('schedules');
  expect(suggested('kwargs', 'input', 'queue')).toEqual(['input']);
  expect(suggested('crontab', 'name', 'when')).toEqual(['when']);
  expect(suggested('max_retries', 'retry', 'queue')).toEqual(['retry']);
  expect(suggested('maxRetries', 'attempts', 'delay')).toEqual(['attempts']);
  expect(meantOf('SUCCESS', ['succeeded', 'dead'])).toBe('succeeded');
  expect(meantOf('failed', ['queued'])).toBeUndefined();
});

test('what has no other name here is told with what to do instead', () => {
  expect(unknownFields({ ignore_result: true, rate_limit: '5/m' }, ['queue', 'delay'])).toMatchObject([
    {
      message:
        '"ignore_result" is not known here: leave it out: a handler that returns nothing leaves no result',
    },
    { message: '"rate_limit" is not known here: it is said of a task or a queue, whose jobs it is for' },
  ]);
  expect(unknownFields({ rate_limit: '5/m' }, ['rateLimit'])).toMatchObject([{ suggestion: 'rateLimit' }]);
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
