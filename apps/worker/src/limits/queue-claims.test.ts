import { expect, test } from 'vitest';
import type { Held } from '../held.ts';
import type { LimitedQueue } from './limited-queue.ts';
import { createQueueClaims } from './queue-claims.ts';
import { createQueueWaiting } from './queue-waiting.ts';

let born = 0;
const newHeld = (change: object = {}) =>
  ({
    job: { priority: 'normal' },
    since: { monotonic: born++ },
    queueSlot: false,
    queueStart: undefined,
    ...change,
  }) as unknown as Held;

/** A queue with slots, and starts that are due. */
function queueWith(slots: number, starts: number[]) {
  const good = new Set(starts);
  const queue = {
    name: 'mail',
    used: new Set<Held>(),
    waiting: createQueueWaiting(),
    rate: {
      take: () => starts.shift(),
      isGood: (start: number) => good.has(start),
      giveBack: (start: number) => good.has(start) && starts.push(start),
      lease() {},
    },
  } as unknown as LimitedQueue;
  const claims = createQueueClaims({
    isLimited: () => true,
    rateOf: () => ({ limit: 1, periodMs: 1_000, burst: 1 }),
    open: ({ used }) => slots - used.size,
    free: () => 10,
  });
  return { queue, claims, good };
}

test('a job has a slot and a start or neither, and what it does not use another one has', async () => {
  const { queue, claims } = queueWith(1, [7]);
  const [first, second] = [newHeld(), newHeld()];
  expect(await claims.claim(queue, first)).toBe(true);
  expect([first.queueSlot, first.queueStart, queue.used.size]).toEqual([true, 7, 1]);
  const waits = claims.claim(queue, second);
  expect([second.queueSlot, second.queueStart, queue.waiting.size]).toEqual([false, undefined, 1]);
  claims.release(queue, first);
  claims.grant(queue);
  expect(await waits).toBe(true);
  expect([first.queueSlot, first.queueStart]).toEqual([false, undefined]);
  expect([second.queueSlot, second.queueStart, queue.used.size]).toEqual([true, 7, 1]);
});

test('a start that is late counts no more: the job asks for both anew', async () => {
  const { queue, claims, good } = queueWith(1, [7, 8]);
  const held = newHeld();
  await claims.claim(queue, held);
  expect([claims.lacks(queue, held), claims.isLate(queue, held)]).toEqual([false, false]);
  good.delete(7);
  expect([claims.lacks(queue, held), claims.isLate(queue, held)]).toEqual([true, true]);
  // What began to run before there was a rate has none to lose.
  expect(claims.isLate(queue, newHeld())).toBe(false);
  expect(await claims.claim(queue, held)).toBe(true);
  expect([held.queueStart, queue.used.size]).toEqual([8, 1]);
});

test('the oldest of a priority goes first, whenever it began to wait; who has waited too long is left, where it may be', async () => {
  const { queue, claims } = queueWith(0, []);
  const [old, young, high] = [newHeld(), newHeld(), newHeld({ job: { priority: 'high' } })];
  const order: Held[] = [];
  const claim = (held: Held) => claims.claim(queue, held).then((granted) => granted && order.push(held));
  const all = Promise.all([young, old, high].map(claim));
  queue.waiting.leave(0, (held) => held !== young);
  expect(queue.waiting.size).toBe(1);
  expect(await Promise.race([all, Promise.resolve('waits')])).toBe('waits');
  const again = [claim(old), claim(high)];
  let left = 3;
  queue.waiting.grant(
    () => (left-- > 0 ? 1 : undefined),
    () => {},
  );
  await Promise.all([all, ...again]);
  expect(order).toEqual([high, old, young]);
});
