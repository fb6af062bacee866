import { expect, test } from 'vitest';
import { latencyFigures, median, percentile, range } from './statistics.ts';

test('the median is the middle, or the mean of the two in the middle, and leaves its values alone', () => {
  const values = [5, 1, 10];
  expect(median(values)).toBe(5);
  expect(values).toEqual([5, 1, 10]);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test('numbers are ordered as numbers', () => {
  expect(median([9, 10, 100])).toBe(10);
  expect(range([10, 9, 100])).toEqual([9, 100]);
});

test('a percentile is the value that so many do not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile(hundred, 1)).toBe(100);
  expect(percentile([3], 0.01)).toBe(3);
  expect(latencyFigures(hundred)).toEqual({ p50: 50, p90: 90, p99: 99, max: 100 });
});

test('nothing has no median', () => {
  expect(() => median([])).toThrow(RangeError);
  expect(() => range([])).toThrow(RangeError);
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});
