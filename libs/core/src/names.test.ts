import { expect, test } from 'vitest';
import { InvalidInputError } from './errors.ts';
import { checkName, isName } from './names.ts';

test.each([
  ['queue', 'mail', true],
  ['queue', 'a-b_C9', true],
  ['queue', 'a.b', false],
  ['queue', '', false],
  ['queue', 'x'.repeat(65), false],
  ['task', 'media.sync_library', true],
  ['task', 'a/b', false],
  ['task', '.a', false],
  ['task', 'a..b', false],
  ['task', `${'x'.repeat(64)}.${'y'.repeat(64)}`, false],
  ['task', 'a.*', false],
  ['task', 'a.>', false],
  ['task', 'a b', false],
  ['task', 'a\r\nb', false],
  ['schedule', 'report/nightly.all', true],
  ['schedule', 'a//b', false],
  ['schedule', 7, false],
] as const)('as a %s, %j: %s', (kind, value, expected) => {
  expect(isName(kind, value)).toBe(expected);
});

test('a name that is none is refused with what it should be', () => {
  expect(checkName('queue', 'mail')).toBe('mail');
  expect(() => checkName('task', 'a b', '/task')).toThrow(InvalidInputError);
  expect(() => checkName('queue', 'a.b')).toThrow(/"a\.b" is not a queue name: use one token/);
});
