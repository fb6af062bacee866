import { expect, test } from 'vitest';
import { createOwnRetries, type Instant } from './own-retries.ts';

function bench() {
  let now: Instant = { monotonic: 1_000, wall: 5_000 };
  const own = createOwnRetries({ aloneMs: 100, keepMs: 1_000, clock: () => now });
  const pass = (monotonic: number, wall = monotonic) => {
    now = { monotonic: now.monotonic + monotonic, wall: now.wall + wall };
  };
  return { own, pass, now: () => now };
}

test('a step is known by its sequence and its job, once', () => {
  const { own, pass, now } = bench();
  const since = now();
  pass(100);
  own.add({ seq: 7, id: 'a', since });
  own.add({ seq: 8, id: 'b', since });
  expect([own.take(9, 'a'), own.take(7, 'a'), own.take(7, 'a'), own.take(8, 'a'), own.take(8, 'b')]).toEqual([
    ...[false, true, false, false, false],
  ]);
});

test.each([
  ['either clock says that the step before was held for too long', 101, 0],
  ['the machine slept', 0, 101],
])('it is not noted when %s', (_why, monotonic, wall) => {
  const { own, pass, now } = bench();
  const since = now();
  pass(monotonic, wall);
  own.add({ seq: 7, id: 'a', since });
  expect(own.take(7, 'a')).toBe(false);
});

test.each([
  [1_000, 0, true],
  [1_001, 0, false],
  [0, 1_001, false],
])('after %d ms, and %d ms by the wall clock: %s', (monotonic, wall, known) => {
  const { own, pass, now } = bench();
  own.add({ seq: 7, id: 'a', since: now() });
  pass(monotonic, wall);
  expect(own.take(7, 'a')).toBe(known);
});

test('after a stall what was received before is not noted; after a reconnect what was noted is not known either', () => {
  const { own, pass, now } = bench();
  const since = now();
  own.add({ seq: 7, id: 'a', since });
  own.distrust();
  own.add({ seq: 8, id: 'b', since });
  pass(1);
  own.add({ seq: 9, id: 'c', since: now() });
  expect([own.take(7, 'a'), own.take(8, 'b')]).toEqual([true, false]);
  own.forget();
  own.add({ seq: 10, id: 'd', since: now() });
  expect([own.take(9, 'c'), own.take(10, 'd')]).toEqual([false, false]);
});
