import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

test('another thread sees the beat and the earliest deadline through the shared memory', () => {
  const here = new Slots({ concurrency: 2 });
  const there = new Slots({ memory: here.memory });
  here.beat(100);
  const late = here.take(900);
  const early = here.take(500);
  expect(there.lastBeat).toBe(100);
  expect(there.earliestDeadline).toBe(500);
  expect(here.free).toBe(0);
  here.give(early);
  expect(there.earliestDeadline).toBe(900);
  here.give(late);
  expect(there.earliestDeadline).toBe(Number.POSITIVE_INFINITY);
});

test('a handler without a slot is a mistake of the caller', () => {
  const slots = new Slots({ concurrency: 1 });
  slots.take(1);
  expect(() => slots.take(1)).toThrow('no slot is free');
});
