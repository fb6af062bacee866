import { expect, test } from 'vitest';
import { keptFor, reserveSlot, takeBack } from './kept-slots.ts';
import {
  claimBlock,
  claimSlot,
  decodeSemaphore,
  dropHolders,
  FREE_SEMAPHORE,
  isFree,
  isFull,
  leasesOf,
  noteWaiting,
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
  expect(third).toEqual({
    kind: 'full',
    next: { ...two, waiting: true, most: 2 },
    taken: 2,
    by: ['j1', 'j2'],
  });
  // Whoever asks again finds nothing to write.
  expect(claimSlot({ ...two, waiting: true }, claim('j4', 'w1.a', 2), 100)).toMatchObject({ kind: 'full' });
  expect(claimSlot(two, claim('j3', 'w1.a', 3), 100)).toMatchObject({ kind: 'taken' });
});

test('what waits is noted with the greatest limit: while so many slots are taken, none of it can begin', () => {
  const one = taken(FREE_SEMAPHORE, 'j1');
  expect([isFull(FREE_SEMAPHORE), isFull(one)]).toEqual([false, false]);
  const waits = noteWaiting(one, 1);
  expect(waits).toEqual({ ...one, waiting: true, most: 1 });
  expect(isFull(waits)).toBe(true);
  expect(isFull({ ...waits, holders: {} })).toBe(false);
  // Nothing new is nothing to write.
  expect(noteWaiting(waits, 1)).toBe(waits);
  const more = claimSlot(waits, claim('j2', 'w2.b', 3), 100);
  expect(more).toEqual({ kind: 'full', taken: 1, by: ['j1'], next: { ...waits, most: 3 } });
  expect(isFull(noteWaiting(waits, 3))).toBe(false);
  // It is not known which limits they have.
  const unknown: Semaphore = { ...one, waiting: true };
  expect(noteWaiting(unknown, 1)).toBe(unknown);
  expect(isFull(unknown)).toBe(false);
});

test('who was here before any had to wait is not behind them, and takes no slot of another', () => {
  const free: Semaphore = { holders: {}, waiting: true, most: 1 };
  const first = claimSlot(free, { ...claim('j1'), first: true }, 100);
  expect(first).toMatchObject({ kind: 'taken', next: { holders: { j1: { lease: 'w1.a' } }, waiting: true } });
  if (first.kind === 'taken')
    expect(claimSlot(first.next, { ...claim('j2'), first: true }, 100)).toMatchObject({ kind: 'full' });
});

test('a slot that is kept says whether the job was parked for it', () => {
  const wanted = { job: 'j1', parks: 1, limit: 1 };
  for (const here of [true, false]) {
    const kept = reserveSlot(FREE_SEMAPHORE, { ...wanted, here }, 200);
    expect(kept && claimSlot(kept, claim('j1', 'w1.a', 1, 1), 100)).toMatchObject({ reserved: true, here });
    // Of another step it says nothing.
    expect(kept && claimSlot(kept, claim('j1', 'w1.a', 1, 2), 100)).toMatchObject({
      reserved: false,
      here: false,
    });
  }
  expect(reserveSlot({ holders: {}, waiting: true, most: 4 }, wanted, 200)).toMatchObject({ most: 4 });
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

test('a slot that was kept while another was forgotten is none, once that is said again', () => {
  const kept: Semaphore = {
    holders: { j1: { until: 200, parks: 1 }, j2: { until: 200, parks: 1 } },
    waiting: true,
  };
  const said: Semaphore = { ...kept, holders: { ...kept.holders, j0: { lease: 'w2.b' } } };
  expect(claimSlot(said, claim('j1', 'w1.a', 1, 1), 100)).toEqual({
    kind: 'full',
    taken: 2,
    by: ['j2', 'j0'],
    next: { holders: { j0: { lease: 'w2.b' }, j2: { until: 200, parks: 1 } }, waiting: true },
  });
  // Nor does it free one for a job that is late.
  expect(claimSlot(said, claim('j9', 'w1.a', 1, 1), 100)).toMatchObject({ kind: 'full', taken: 3 });
  // What is kept for others takes nothing from it: of two promises for one slot the one that comes first holds.
  const first = claimSlot(said, claim('j1', 'w1.a', 2, 1), 100);
  expect(first).toMatchObject({ kind: 'taken', reserved: true });
  if (first.kind !== 'taken') return;
  expect(claimSlot(first.next, claim('j2', 'w3.c', 2, 1), 100)).toMatchObject({ kind: 'full', taken: 2 });
  // Its time was over, and who has the slot since keeps it.
  expect(claimSlot(first.next, claim('j2', 'w3.c', 2, 1), 300)).toMatchObject({ kind: 'full', taken: 2 });
});

test('a job that was put back and is late takes what is free, or is kept for one on its way, and no slot of a job that runs', () => {
  const free: Semaphore = { holders: {}, waiting: true };
  expect(claimSlot(free, claim('j1', 'w1.a', 1, 2), 100)).toEqual({
    kind: 'taken',
    reserved: false,
    here: false,
    next: { holders: { j1: { lease: 'w1.a' } }, waiting: true },
  });
  const kept: Semaphore = { holders: { j0: { lease: 'w2.b' }, j9: { until: 200, parks: 1 } }, waiting: true };
  const late = claimSlot(kept, claim('j1', 'w1.a', 2, 2), 100);
  expect(late).toEqual({
    kind: 'taken',
    reserved: false,
    here: false,
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

test('slots that are kept for jobs of some queues can be taken back, the last one first, and none that a job has', () => {
  const kept = (queue?: string) => ({ until: 200, parks: 1, ...(queue === undefined ? {} : { queue }) });
  const holders = { a: { lease: 'w1.a' }, b: kept('slow'), c: kept('mail'), d: kept('slow'), e: kept() };
  const slots: Semaphore = { holders, waiting: true };
  const more = reserveSlot(slots, { job: 'f', parks: 1, limit: 6, queue: 'slow' }, 200);
  expect(more?.holders['f']).toEqual(kept('slow'));
  expect(keptFor(slots)).toEqual(['slow', 'mail']);
  const slow = new Set(['slow']);
  const left = (limit: number) => Object.keys(takeBack(slots, slow, limit)?.holders ?? {});
  expect([6, 5, 4, 3].map((limit) => left(limit).join(''))).toEqual(['abcde', 'abce', 'ace', '']);
});
