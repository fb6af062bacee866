import { expect, test } from 'vitest';
import { checkRoom } from './check-room.ts';

const there = (count: number) => new Map(Array.from({ length: count }, (_, index) => [`q${index}`, []]));

test('a worker is not told to serve more queues than there may be, and may serve all that are there', () => {
  expect(() => checkRoom({ lanes: there(998) }, ['a', 'b', 'a', 'q1'])).not.toThrow();
  expect(() => checkRoom({ lanes: there(999) }, ['a', 'b'])).toThrow(
    expect.objectContaining({ code: 'too_many_queues', message: expect.stringContaining('1000 queues') }),
  );
  expect(() => checkRoom({ lanes: there(5_000) }, ['q1', 'q2'])).not.toThrow();
  expect(() => checkRoom({ lanes: undefined }, ['a'])).not.toThrow();
});
