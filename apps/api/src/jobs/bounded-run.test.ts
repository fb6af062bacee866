import { expect, test } from 'vitest';
import { createBoundedRun } from './bounded-run.ts';

const forever = () => {
  for (;;);
};

test('what ends in time has its result, and what it throws is thrown', () => {
  const run = createBoundedRun();
  expect(run(60_000, () => 7)).toEqual({ result: 7 });
  expect(run(60_000, () => undefined)).toEqual({ result: undefined });
  const error = new TypeError('no');
  expect(() =>
    run(60_000, () => {
      throw error;
    }),
  ).toThrow(error);
});

test('what took too long is ended; where the machine gave it no time it may try for four times as long', () => {
  let spent = 0;
  const busy = createBoundedRun(() => (spent += 100))(20, forever);
  expect(busy).toMatchObject({ ended: 'too_long' });
  const starved = createBoundedRun(() => 0)(20, forever);
  expect(starved).toMatchObject({ ended: 'not_served' });
  expect('tookMs' in starved && starved.tookMs).toBeGreaterThanOrEqual(99);
  let tries = 0;
  const second = createBoundedRun(() => 0)(200, () => (++tries === 1 ? forever() : 'done'));
  expect(second).toEqual({ result: 'done' });
});
