import { expect, test } from 'vitest';
import { createHearing } from './hearing.ts';

test('after an outage silence counts from its beginning until all could report again', () => {
  let now = 0;
  const hearing = createHearing({ ackWaitMs: 30_000, quietMs: 0, monotonic: () => now });
  now = 100_000;
  hearing.note(true);
  expect(hearing.within()).toBe(30_000);

  now = 100_250;
  hearing.note(false);
  now = 190_000;
  hearing.note(true);
  // Last heard at 100 s at best; whoever was alive then counts as alive.
  expect(hearing.within()).toBe(30_000 + 90_000);
  now += 9_000;
  expect(hearing.within()).toBe(30_000 + 99_000);
  now += 1_000;
  expect(hearing.within()).toBe(30_000);
});

test('a second outage before all could report prolongs the first', () => {
  let now = 100_000;
  const hearing = createHearing({ ackWaitMs: 30_000, quietMs: 0, monotonic: () => now });
  now = 200_000;
  hearing.note(true);
  hearing.note(false);
  now = 260_000;
  hearing.note(true);
  now = 261_000;
  hearing.note(false);
  now = 270_000;
  hearing.note(true);
  expect(hearing.within()).toBe(30_000 + 70_000);
});

test('a recorder that has just begun lets silence count from when anybody was last heard of', () => {
  let now = 0;
  const hearing = createHearing({ ackWaitMs: 2_000, quietMs: 60_000, monotonic: () => now });
  expect(hearing.within()).toBe(62_000);
  now = 7_000;
  expect(hearing.within()).toBe(2_000);
});
