import { expect, test } from 'vitest';
import {
  claimBlock,
  claimSlot,
  claimStarts,
  decodeSemaphore,
  dropHolders,
  FREE_SEMAPHORE,
  isFree,
  leasesOf,
  reserveSlot,
  type Semaphore,
} from './semaphore.ts';

const claim = (job: string, lease = 'w1.a', limit = 1, parks = 0) => ({ job, lease, limit, parks });
const taken = (semaphore: Semaphore, ...args: Parameters<typeof claim>): Semaphore => {
  const answer = claimSlot(semaphore, claim(...args), 100);
  if (answer.kind !== 'taken') throw new Error(answer.kind);
  return answer.next;
};

test('slots are taken up to the limit; the next one is noted as waiting', () => {
  const two = taken(taken(FREE_SEMAPHORE, 'j1', 'w1.a', 2), 'j2', 'w2.b', 2);
  expect(leasesOf(two)).toEqual(['w1.a', 'w2.b']);
  const third = claimSlot(two, claim('j3', 'w1.a', 2), 100);
  expect(third).toEqual({ kind: 'full', next: { ...two, waiting: true }, taken: 2 });
  // Whoever asks again finds nothing to write.
  expect(claimSlot({ ...two, waiting: true }, claim('j4', 'w1.a', 2), 100)).toMatchObject({ kind: 'full' });
  expect(claimSlot(two, claim('j3', 'w1.a', 3), 100)).toMatchObject({ kind: 'taken' });
});

test('a claim that was carried out without an answer finds its own slot, and writes nothing', () => {
  const one = taken(FREE_SEMAPHORE, 'j1');
  const again = claimSlot(one, claim('j1'), 100);
  expect(again).toMatchObject({ kind: 'taken', reserved: false });
  expect(again).toHaveProperty('next', one);
});

test('a job that another worker has a slot for gets none', () => {
  expect(claimSlot(taken(FREE_SEMAPHORE, 'j1'), claim('j1', 'w2.b'), 100)).toEqual({
    kind: 'elsewhere',
    lease: 'w1.a',
  });
});

test('a slot is kept for a parked job, and for that step alone it proves that it is the first', () => {
  const kept = reserveSlot(FREE_SEMAPHORE, { job: 'j1', parks: 2, limit: 1 }, 200);
  expect(kept).toEqual({ holders: { j1: { until: 200, parks: 2 } }, waiting: true });
  if (!kept) return;
  expect(reserveSlot(kept, { job: 'j1', parks: 2, limit: 5 }, 200)).toBeUndefined();
  expect(reserveSlot(kept, { job: 'j2', parks: 1, limit: 1 }, 200)).toBeUndefined();
  expect(claimSlot(kept, claim('j2'), 100)).toMatchObject({ kind: 'full', taken: 1 });
  expect(claimSlot(kept, claim('j1', 'w1.a', 1, 2), 100)).toMatchObject({ kind: 'taken', reserved: true });
  expect(claimSlot(kept, claim('j1', 'w1.a', 1, 1), 100)).toMatchObject({ kind: 'taken', reserved: false });
  // It is late, and nobody has taken the slot since.
  expect(claimSlot(kept, claim('j1', 'w1.a', 1, 2), 300)).toMatchObject({ kind: 'taken', reserved: true });
});

test('a job that was put back and is late takes what is free, or is kept for one on its way, and no slot of a job that runs', () => {
  const free: Semaphore = { holders: {}, waiting: true };
  expect(claimSlot(free, claim('j1', 'w1.a', 1, 2), 100)).toEqual({
    kind: 'taken',
    reserved: false,
    next: { holders: { j1: { lease: 'w1.a' } }, waiting: true },
  });
  const kept: Semaphore = { holders: { j0: { lease: 'w2.b' }, j9: { until: 200, parks: 1 } }, waiting: true };
  const late = claimSlot(kept, claim('j1', 'w1.a', 2, 2), 100);
  expect(late).toEqual({
    kind: 'taken',
    reserved: false,
    next: { holders: { j0: { lease: 'w2.b' }, j1: { lease: 'w1.a' } }, waiting: true },
  });
  if (late.kind !== 'taken') return;
  // The one that was on its way is late now, and finds only jobs that run.
  expect(claimSlot(late.next, claim('j9', 'w1.a', 2, 1), 150)).toMatchObject({ kind: 'full', taken: 2 });
});

test('a slot that was kept for too long goes to another, who waits behind what is parked', () => {
  const kept: Semaphore = { holders: { j1: { until: 200, parks: 1 } } };
  expect(claimSlot(kept, claim('j2'), 200)).toMatchObject({
    kind: 'taken',
    next: { holders: { j2: { lease: 'w1.a' } } },
  });
  expect(claimSlot({ ...kept, waiting: true }, claim('j2'), 200)).toMatchObject({
    kind: 'full',
    taken: 0,
    next: { holders: {} },
  });
});

test('holders are dropped by what is known of them', () => {
  const both = taken(taken(FREE_SEMAPHORE, 'j1', 'w1.a', 2), 'j2', 'w2.b', 2);
  expect(dropHolders(both, () => false)).toBe(both);
  const one = dropHolders(both, (holder) => 'lease' in holder && holder.lease === 'w1.a');
  expect(Object.keys(one.holders)).toEqual(['j2']);
  expect(isFree(dropHolders(one, () => true))).toBe(true);
  expect(isFree({ holders: {}, waiting: true })).toBe(false);
});

test('only what this version writes is read', () => {
  const both: Semaphore = { holders: { j1: { lease: 'w.a' }, j2: { until: 1, parks: 0 } }, waiting: true };
  expect(decodeSemaphore(JSON.stringify(both))).toEqual(both);
  for (const wrong of [
    '',
    '[]',
    '{}',
    '{"holders":[1]}',
    '{"holders":{"j":{}}}',
    '{"holders":{"j":{"until":"x","parks":1}}}',
  ])
    expect(decodeSemaphore(wrong)).toBeUndefined();
});

test('the slots of a queue are held in blocks, never more in all than its limit', () => {
  const ask = (
    semaphore: Semaphore,
    lease: string,
    wanted: number,
    more: { used?: number; limit?: number } = {},
  ) => claimBlock(semaphore, { lease, wanted, used: 0, limit: 5, ...more });
  const first = ask(FREE_SEMAPHORE, 'w1.a', 3);
  expect(first).toEqual({ count: 3, allowed: 3, next: { holders: { 'w1.a': { lease: 'w1.a', count: 3 } } } });
  const second = ask(first.next, 'w2.b', 9);
  expect(second.count).toBe(2);
  expect(ask(second.next, 'w3.c', 1).count).toBe(0);
  // Whoever asks for what it has writes nothing.
  expect(ask(second.next, 'w2.b', 9).next).toBe(second.next);
  expect(ask(second.next, 'w2.b', 0).next).toEqual(first.next);
  // A lower limit takes nothing from under a job that runs.
  expect(ask(second.next, 'w1.a', 3, { used: 2, limit: 3 })).toMatchObject({ count: 2, allowed: 1 });
  expect(decodeSemaphore(JSON.stringify(second.next))).toEqual(second.next);
});

test('starts are given out evenly, some at once after a pause, none more than a second ahead', () => {
  const rate = { limit: 10, periodMs: 1_000, burst: 3 };
  const first = claimStarts(FREE_SEMAPHORE, { ...rate, count: 5 }, 10_000);
  expect(first.starts).toEqual([10_000, 10_000, 10_000, 10_100, 10_200]);
  const second = claimStarts(first.next, { ...rate, count: 99 }, 10_050);
  expect(second.starts).toEqual([10_300, 10_400, 10_500, 10_600, 10_700, 10_800, 10_900, 11_000]);
  expect(claimStarts(second.next, { ...rate, count: 1 }, 10_000)).toEqual({ next: second.next, starts: [] });
  expect(isFree(second.next)).toBe(false);
  expect(claimStarts(second.next, { limit: 1, periodMs: 1_000, count: 1 }, 20_000).starts).toEqual([20_000]);
  // What was due by a slower rate before does not hold up a faster one.
  const slow = { ...FREE_SEMAPHORE, tat: 9_000_000 };
  expect(claimStarts(slow, { ...rate, count: 1 }, 10_000).next.tat ?? 0).toBeLessThan(13_000_000);
});

test('slots of both kinds count', () => {
  const mixed: Semaphore = { holders: { j: { until: 9, parks: 1 }, k: { lease: 'w.a' } } };
  expect(claimBlock(mixed, { lease: 'w1.a', wanted: 9, used: 0, limit: 5 }).count).toBe(3);
  expect(leasesOf(mixed)).toEqual(['w.a']);
});

test('what is no holder is not read', () => {
  for (const holder of [1, null, 'w.a', [], { until: 5 }, { parks: 1 }]) {
    expect(
      decodeSemaphore(JSON.stringify({ holders: { j: holder } })),
      JSON.stringify(holder),
    ).toBeUndefined();
  }
});
