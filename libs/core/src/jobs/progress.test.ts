import { expect, test } from 'vitest';
import { lastProgress, readProgress } from './progress.ts';

test('a progress is a number from 0 to 100 and, if it likes, a note', () => {
  expect(readProgress(0)).toEqual({ value: 0 });
  expect(readProgress(33.3, 'a third')).toEqual({ value: 33.3, note: 'a third' });
  expect(readProgress(100, 'x'.repeat(2_000)).note).toHaveLength(1_024);
});

test.each([[-1], [101], [Number.NaN], ['50'], [undefined], [50, 5]])(
  '%j %j is none',
  (value, note?: unknown) => {
    expect(() => readProgress(value, note)).toThrow(/from 0 to 100|is a text/);
  },
);

test('of two the later one stays, whatever comes first', () => {
  const [early, late, again] = [
    { value: 90, run: 1, at: 5 },
    { value: 91, run: 1, at: 6 },
    { value: 2, run: 2, at: 4 },
  ];
  for (const [a, b, last] of [
    [early, late, late],
    [late, early, late],
    [late, again, again],
    [again, late, again],
    [undefined, early, early],
    [early, undefined, early],
  ] as const)
    expect(lastProgress(a, b)).toBe(last);
});
