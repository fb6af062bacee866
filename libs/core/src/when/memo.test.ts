import { expect, test } from 'vitest';
import { memo } from './memo.ts';

test('an answer is remembered, up to a limit; an error is not', () => {
  const made: number[] = [];
  const square = memo((value: number) => {
    made.push(value);
    if (value < 0) throw new Error('negative');
    return value * value;
  }, 2);
  expect([2, 2, 3, 2, 3].map(square)).toEqual([4, 4, 9, 4, 9]);
  expect(made).toEqual([2, 3]);
  expect([4, 2, 4].map(square)).toEqual([16, 4, 16]);
  expect(made).toEqual([2, 3, 4, 2]);
  expect(() => square(-1)).toThrow('negative');
  expect(() => square(-1)).toThrow('negative');
  expect(made.filter((value) => value === -1)).toHaveLength(2);
});
