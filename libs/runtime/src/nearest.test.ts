import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test.each([
  ['prioritiy', 'priority'],
  ['delya', 'delay'],
  ['Queue', 'queue'],
  ['somethingelse', undefined],
])('%s -> %s', (word, meant) => {
  expect(nearest(word, ['priority', 'delay', 'queue', 'task'])).toBe(meant);
});
