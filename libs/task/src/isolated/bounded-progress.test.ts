import { expect, test } from 'vitest';
import { manualClock } from '../testing.ts';
import { createBoundedProgress } from './bounded-progress.ts';

test('the first is passed on at once, then the last of each tenth of a second, and what is left at the end', () => {
  const clock = manualClock();
  const said: number[] = [];
  const { tell, end } = createBoundedProgress(({ value }) => said.push(value), clock);
  for (let value = 0; value <= 10; value++) tell({ value });
  expect(said).toEqual([0]);
  clock.advance(99);
  expect(said).toEqual([0]);
  clock.advance(1);
  expect(said).toEqual([0, 10]);
  clock.advance(500);
  tell({ value: 20 });
  tell({ value: 30 });
  expect(said).toEqual([0, 10, 20]);
  end();
  end();
  clock.advance(500);
  expect(said).toEqual([0, 10, 20, 30]);
});
