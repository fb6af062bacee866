import { expect, test } from 'vitest';
import { createFineClock } from './fine-clock.ts';

test('fractions of milliseconds, and a clock that was set is followed', () => {
  let wall = 1_000;
  let steady = 5;
  const clock = createFineClock(
    () => wall,
    () => steady,
  );
  steady += 0.25;
  expect(clock()).toBe(1_000.25);
  wall = 9_000;
  expect(clock()).toBe(9_000);
  steady += 0.5;
  expect(clock()).toBe(9_000.5);
});
