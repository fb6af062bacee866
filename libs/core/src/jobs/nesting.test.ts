import { expect, test } from 'vitest';
import { isTooDeep, MAX_NESTING } from './nesting.ts';

function nested(levels: number): unknown {
  return JSON.parse(`${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`);
}

test('as many levels as are allowed, and no more', () => {
  expect(isTooDeep(nested(MAX_NESTING))).toBe(false);
  expect(isTooDeep([nested(MAX_NESTING)])).toBe(true);
  expect(isTooDeep(nested(200_000))).toBe(true);
  expect(isTooDeep('[[]]', 1)).toBe(false);
  expect(isTooDeep([null, 1], 1)).toBe(false);
});
