import { expect, test } from 'vitest';
import { globs } from './glob.ts';

test.each([
  ['**', 'a', true],
  ['**', 'a/b/c.txt', true],
  ['**', '.a', false],
  ['**', 'a/.b', false],
  ['*', 'a', true],
  ['*', 'a/b', false],
  ['*', '.a', false],
  ['.*', '.a', true],
  ['*.log', 'a.log', true],
  ['*.log', 'a.log.gz', false],
  ['*.log', '.log', false],
  ['*.log', 'x/a.log', false],
  ['**/*.log', 'a.log', true],
  ['**/*.log', 'x/y/a.log', true],
  ['**/*.log', '.x/a.log', false],
  ['x/**/z', 'x/z', true],
  ['x/**/z', 'x/y/y/z', true],
  ['x/**', 'x', true],
  ['x/**/b/**/c', 'x/b/b/q/c', true],
  ['x/**/b/**/c', 'x/b/b/q/d', false],
  ['**/.cache/**', 'a/.cache/b/c', true],
  ['**/.cache/**', 'a/.cache/.d', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['?', '.', false],
  ['a*b*c', 'a1b2b3c', true],
  ['a*b*c', 'a1b2', false],
  ['[ab].{txt}', '[ab].{txt}', true],
  ['[ab]', 'a', false],
  ['é?', 'éü', true],
  ['', 'a', false],
])('%s means %s: %s', (pattern, path, isMeant) => {
  expect(globs([pattern])(path)).toBe(isMeant);
});

test('of several patterns one is enough', () => {
  const match = globs(['*.a', 'x/*.b']);
  expect(['1.a', 'x/1.b', '1.b', 'x/1.a'].map(match)).toEqual([true, true, false, false]);
});

test('no pattern takes long', () => {
  const begun = process.threadCpuUsage();
  expect(globs([`${'*a'.repeat(500)}*b`])('a'.repeat(255))).toBe(false);
  expect(globs([`${'**/a/'.repeat(200)}b`])('a/'.repeat(1_000))).toBe(false);
  const { user, system } = process.threadCpuUsage(begun);
  expect((user + system) / 1_000).toBeLessThan(1_000);
});
