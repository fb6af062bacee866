import type { Isolated } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { manualClock } from '../testing.ts';
import { type Box, ChildLostError } from './box.ts';
import { createBoxPool } from './box-pool.ts';

function openBox(): Box {
  const ended = Promise.withResolvers<ChildLostError>();
  const close = () => {
    box.alive = false;
    ended.resolve(new ChildLostError('closed'));
  };
  const box = {
    ready: Promise.resolve(),
    started: true,
    alive: true,
    ended: ended.promise,
    send() {},
    listen() {},
    kill: close,
    close,
  };
  return box;
}

test('the successor of a child is kept for as long as the last run of that takes, and then until it is idle', async () => {
  const clock = manualClock();
  let opened = 0;
  const open = () => {
    opened++;
    return openBox();
  };
  const pool = createBoxPool({ open, max: () => 1, idleMs: 1_000, clock });
  const isolation: Isolated = { kind: 'process', maxJobs: 1 };
  const take = () => pool.take(isolation, { module: 'm' });
  const first = take();
  expect(opened).toBe(2);
  clock.advance(5_500);
  expect(pool.count('process')).toBe(2);
  pool.give(first);
  const second = take();
  expect(second.box.alive).toBe(true);
  // It was there: what was started now is the one that follows.
  expect(opened).toBe(3);
  pool.give(second);
  clock.advance(2_000);
  await second.box.ended;
  await expect.poll(() => pool.count('process')).toBe(0);
});
