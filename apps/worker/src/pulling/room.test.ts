import { expect, test } from 'vitest';
import { createRoom } from './room.ts';

/** Of a worker of 10 that holds so many, of which so many are settled or parked just now. */
function roomWith(jobs: { size: number; settling: number; parking: number }, inLine = 0): number {
  const pace = { limit: () => 10 };
  const shape = { concurrency: 10 };
  const { room } = createRoom({
    jobs,
    events: { full: false },
    ready: { size: 0 },
    pace,
    shape,
    inLine: () => inLine,
  });
  return room();
}

test('what is on its way out takes no room, up to a bound of all that is held', () => {
  expect(roomWith({ size: 10, settling: 0, parking: 0 })).toBe(0);
  expect(roomWith({ size: 10, settling: 2, parking: 5 })).toBe(7);
  expect(roomWith({ size: 25, settling: 0, parking: 5 }, 100)).toBe(10);
  expect(roomWith({ size: 4_998, settling: 4_990, parking: 0 })).toBe(2);
});

test('what is being parked takes no room up to a bound of its own, since it may be large, and not go', () => {
  expect(roomWith({ size: 512, settling: 0, parking: 512 })).toBe(10);
  expect(roomWith({ size: 518, settling: 0, parking: 518 })).toBe(4);
  expect(roomWith({ size: 600, settling: 0, parking: 600 })).toBeLessThanOrEqual(0);
});
