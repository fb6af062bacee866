import { expect, test } from 'vitest';
import type { JobEnvelope } from '../jobs/envelope.ts';
import { rateOf } from './job-rate.ts';
import {
  claimRate,
  claimStarts,
  idleAfter,
  letGo,
  mayGo,
  nextGoesAt,
  startAfter,
  startsUntil,
} from './rate.ts';
import { FREE_SEMAPHORE, type Semaphore } from './semaphore.ts';

const NOW = 1_000_000;
/** One every 100 ms, three of them at once after a pause. */
const PACE = { limit: 10, periodMs: 1_000, burst: 3 };
const fresh = (job: string) => ({ job, parks: 0 });
const kindsOf = (answers: readonly { kind: string }[]) => answers.map(({ kind }) => kind);

test('starts come evenly after the burst, and in no period more than limit and burst', () => {
  let state: Semaphore = FREE_SEMAPHORE;
  const starts: number[] = [];
  for (let now = NOW; now < NOW + 5_000; now += 7) {
    const { next, answers } = claimRate({ ...state, waiting: false }, PACE, [fresh(`j${now}`)], now);
    for (const answer of answers) {
      if (answer.kind !== 'start') continue;
      state = next;
      starts.push(answer.at);
    }
  }
  const most = Math.max(...starts.map((at) => starts.filter((one) => one >= at && one < at + 1_000).length));
  expect(most).toBe(12);
  expect(starts.slice(0, 5)).toEqual([NOW, NOW + 7, NOW + 14, NOW + 100, NOW + 200]);
  expect(starts.every((at, index) => index < 4 || at - (starts[index - 1] ?? 0) >= 100 - 1e-6)).toBe(true);
});

test('starts of a queue are taken in blocks, evenly apart after the burst, and not more than a second ahead', () => {
  const first = claimStarts(FREE_SEMAPHORE, { ...PACE, count: 5 }, 10_000);
  expect(first.starts).toEqual([10_000, 10_000, 10_000, 10_100, 10_200]);
  const second = claimStarts(first.next, { ...PACE, count: 99 }, 10_050);
  expect(second.starts).toEqual([10_300, 10_400, 10_500, 10_600, 10_700, 10_800, 10_900, 11_000]);
  expect(claimStarts(second.next, { ...PACE, count: 1 }, 10_000)).toEqual({ next: second.next, starts: [] });
  const slow = claimStarts(second.next, { limit: 1, periodMs: 3_600_000, count: 2 }, 20_000);
  expect(slow.starts).toEqual([20_000]);
});

test('whoever raises a rate does not wait for what was due by the old one, nor for a wrong clock', () => {
  const slow = claimStarts(FREE_SEMAPHORE, { limit: 1, periodMs: 3_600_000, count: 1 }, NOW).next;
  expect(claimStarts(slow, { ...PACE, count: 9 }, NOW).starts).toHaveLength(9);
  const parked = [{ job: 'a', parks: 1 }];
  expect(letGo(slow, PACE, parked, NOW).gone).toEqual(parked);
  const wrong = { ...claimStarts(FREE_SEMAPHORE, { ...PACE, count: 1 }, NOW).next, tat: NOW + 9_000_000 };
  const mended = claimStarts(wrong, { ...PACE, count: 1 }, NOW);
  expect(mended.starts).toEqual([]);
  expect(mended.next.tat).toBe(NOW + 1_300);
  expect(claimStarts(mended.next, { ...PACE, count: 1 }, NOW + 100).starts).toEqual([NOW + 1_100]);
});

test('what is not due soon waits, and what is new waits behind it', () => {
  const slow = { limit: 1, periodMs: 10_000 };
  const first = claimRate(FREE_SEMAPHORE, slow, [fresh('a'), fresh('b')], NOW);
  expect(first.answers).toEqual([{ kind: 'start', at: NOW, proven: false }, { kind: 'wait' }]);
  expect(first.next).toEqual({ holders: {}, tat: NOW + 10_000, waiting: true, pace: slow });
  // A start is due, and somebody was there before.
  expect(kindsOf(claimRate(first.next, slow, [fresh('c')], NOW + 20_000).answers)).toEqual(['wait']);
  // A start is not used up for what may have run already.
  const unsure = claimRate(first.next, slow, [{ job: 'd', parks: 1, unsure: true }], NOW + 20_000);
  expect(unsure).toEqual({ next: { ...first.next, lag: 9_750 }, answers: [{ kind: 'doubt' }] });
  // One that was put back for something else is older than that.
  const put = claimRate(first.next, slow, [{ job: 'd', parks: 1 }], NOW + 20_000);
  expect(put.answers).toEqual([{ kind: 'start', at: NOW + 20_000, proven: false }]);
});

test('as many are let go as starts are due, each is kept its turn, and by that it is proven', () => {
  const parked = ['a', 'b', 'c'].map((job) => ({ job, parks: 1 }));
  const state: Semaphore = { holders: {}, waiting: true, tat: NOW + 300, pace: PACE };
  expect(startsUntil(state, PACE, NOW + 250, 9, NOW)).toBe(2);
  expect(startAfter(state, PACE, 2, NOW)).toBe(NOW + 300);
  const { next, gone } = letGo(state, PACE, parked, NOW);
  expect(gone).toEqual(parked.slice(0, 2));
  const kept = { until: NOW + 10_000, parks: 1 };
  expect(next).toEqual({ holders: { a: kept, b: kept }, waiting: true, tat: NOW + 300, pace: PACE });
  // Whoever does the same gets nothing.
  expect(letGo(next, PACE, parked, NOW).gone).toEqual([]);
  expect(letGo(state, PACE, [], NOW).gone).toEqual([]);

  const claimed = claimRate(next, PACE, [{ job: 'a', parks: 1, unsure: true }], NOW + 50);
  expect(claimed.answers).toEqual([{ kind: 'start', at: NOW + 100, proven: true }]);
  expect(claimed.next).toMatchObject({ holders: { b: kept }, tat: NOW + 400 });
  // An earlier step of it waits until this one is over, as long as it is on its way.
  expect(kindsOf(claimRate(next, PACE, [fresh('a')], NOW).answers)).toEqual(['elsewhere']);
  expect(kindsOf(claimRate(next, PACE, [fresh('a')], NOW + 20_000).answers)).toEqual(['wait']);
  // One that is late has its turn all the same, since nobody else has used it.
  expect(claimRate(next, PACE, [{ job: 'a', parks: 1 }], NOW + 20_000).answers).toEqual([
    { kind: 'start', at: NOW + 20_000, proven: true },
  ]);
});

test('the starts of jobs on their way are theirs; one that was too late for its own goes first', () => {
  const kept = { until: NOW + 10_000, parks: 1 };
  const state: Semaphore = { holders: { a: kept }, tat: NOW + 100, pace: PACE };
  // Two are due at once: one for it, one for somebody else.
  expect(claimRate(state, PACE, [fresh('b'), fresh('c')], NOW).answers).toEqual([
    { kind: 'start', at: NOW, proven: false },
    { kind: 'wait' },
  ]);
  const late = { job: 'd', parks: 0, again: true };
  expect(kindsOf(claimRate({ ...state, waiting: true, tat: NOW + 400 }, PACE, [late], NOW).answers)).toEqual([
    'start',
  ]);
});

test('without a rate all go', () => {
  const parked = ['a', 'b'].map((job) => ({ job, parks: 1 }));
  const state: Semaphore = { holders: {}, waiting: true, tat: NOW + 86_400_000 };
  expect(letGo(state, undefined, parked, NOW).gone).toEqual(parked);
});

test('what is over may be forgotten, and not while jobs wait', () => {
  expect(idleAfter({ holders: {}, tat: NOW + 70 }, NOW)).toBe(70);
  expect(idleAfter({ holders: {}, tat: NOW - 70 }, NOW)).toBe(0);
  expect(idleAfter(FREE_SEMAPHORE, NOW)).toBe(0);
  expect(idleAfter({ holders: {}, waiting: true }, NOW)).toBeUndefined();
  expect(idleAfter({ holders: { a: { until: 1, parks: 1 } } }, NOW)).toBeUndefined();
});

test('one rate holds for a job: that of its task, else one of its queue per task or key', () => {
  const job: Pick<JobEnvelope, 'task' | 'queue' | 'policy'> = { task: 'mail.send', queue: 'mail' };
  const keyed = { ...job, policy: { concurrency: { key: 'host-7', limit: 1 } } };
  const rate = { limit: 5, periodMs: 60_000 };
  const task = { ...rate, per: 'task' } as const;
  const perKey = { ...rate, per: 'key', burst: 2 } as const;
  expect(rateOf(job, task, { ...perKey })).toEqual({
    name: 'task mail.send',
    hash: expect.stringMatching(/^[\w-]{22}$/),
    ...rate,
  });
  expect(rateOf(keyed, perKey, undefined)).toMatchObject({ name: 'task mail.send, key host-7', burst: 2 });
  expect(rateOf(job, perKey, task)).toBeUndefined();
  expect(rateOf(job, undefined, task)?.name).toBe('queue mail, task mail.send');
  expect(rateOf(keyed, undefined, perKey)?.name).toBe('queue mail, key host-7');
  expect(rateOf(job, undefined, { ...rate, per: 'queue' })).toBeUndefined();
  expect(rateOf(job, undefined, rate)).toBeUndefined();
  expect(rateOf(job, undefined, undefined)).toBeUndefined();
});

test.each([200, 3_000, 12_000])(
  'a backlog of %i ms before those that were let go slows nothing down',
  (lag) => {
    // One each second for two minutes; parked in the order of their names.
    const slow = { limit: 60, periodMs: 60_000 };
    let parked = Array.from({ length: 500 }, (_, index) => ({ job: `j${1_000 + index}`, parks: 1 }));
    let state: Semaphore = { holders: {}, waiting: true, pace: slow, tat: NOW };
    const lane: { ask: { job: string; parks: number }; at: number }[] = [];
    const starts: number[] = [];
    for (let now = NOW; now < NOW + 120_000; now += 50) {
      const { next, gone } = letGo(state, slow, parked, now);
      state = next;
      parked = parked.filter((one) => !gone.includes(one));
      for (const ask of gone) lane.push({ ask, at: now + lag });
      while (lane[0] && lane[0].at <= now) {
        const { ask } = lane.shift() ?? { ask: fresh('none') };
        let claimed = claimRate(state, slow, [{ ...ask, unsure: true }], now);
        // It is asked about, and then it is sure that nobody has run it.
        if (claimed.answers[0]?.kind === 'doubt') claimed = claimRate(claimed.next, slow, [ask], now);
        state = claimed.next;
        const [answer] = claimed.answers;
        if (answer?.kind === 'start') starts.push(answer.at);
        else parked.unshift({ job: ask.job, parks: ask.parks + 1 });
      }
    }
    expect(starts.length).toBeGreaterThan(120 - (2 * lag) / 1_000 - 5);
    expect(starts.length).toBeLessThanOrEqual(122);
  },
);

test('of jobs that are on their way for longer more are let go, as far apart as they are to begin', () => {
  const slow = { limit: 60, periodMs: 60_000 };
  const kept = (ago: number) => ({ until: NOW + 10_000 - ago, parks: 1 });
  const out: Semaphore = { holders: { a: kept(3_000), b: kept(500) }, tat: NOW, pace: slow };
  expect([mayGo(out, slow, 9, NOW), nextGoesAt(out, slow, NOW)]).toEqual([0, NOW + 1_750]);
  const late = { ...out, lag: 5_000 };
  expect([mayGo(late, slow, 9, NOW), nextGoesAt(late, slow, NOW)]).toEqual([0, NOW + 500]);
  expect(mayGo(late, slow, 9, NOW + 500)).toBe(1);
  // Not a turn.
  expect(nextGoesAt({ ...late, holders: { a: { lease: 'one' } } }, slow, NOW)).toBe(NOW - 4_250);
  // In all no more than begin in that time.
  expect(mayGo({ ...late, lag: 1_000 }, slow, 9, NOW + 500)).toBe(0);
  // It was three seconds on its way, and the next one was not.
  const claimed = claimRate(out, slow, [{ job: 'a', parks: 1 }], NOW).next;
  expect(claimed.lag).toBe(2_750);
  const soon = { ...claimed, tat: NOW, holders: { c: kept(20) } };
  expect(claimRate(soon, slow, [{ job: 'c', parks: 1 }], NOW).next).not.toHaveProperty('lag');
});

test.each([
  ['twice as fast', { limit: 20, periodMs: 1_000, burst: 3 }],
  ['far slower', { limit: 1, periodMs: 3_600_000, burst: 1 }],
  ['far slower, with a greater burst', { limit: 2, periodMs: 3_600_000, burst: 30 }],
])('processes that disagree about a rate do not switch it off: the other one is %s', (_, other) => {
  let state: Semaphore = FREE_SEMAPHORE;
  let begun = 0;
  for (let flip = 0; flip < 200; flip++) {
    const { next, starts } = claimStarts(state, { ...(flip % 2 ? other : PACE), count: 99 }, NOW);
    state = next;
    begun += starts.length;
  }
  const most = Math.max(PACE.limit + PACE.burst, other.limit + other.burst);
  expect(begun).toBeLessThanOrEqual(most);
  expect(state.paces).toHaveLength(1);
  // Over several periods it is still that which the faster one allows.
  for (let now = NOW; now < NOW + 10_000; now += 25) {
    const { next, starts } = claimStarts(state, { ...((now / 25) % 2 ? other : PACE), count: 99 }, now);
    state = next;
    begun += starts.length;
  }
  expect(begun).toBeLessThanOrEqual(most + 10 * Math.max(PACE.limit, other.limit));
});

test('of many rates that are said at once only the last are remembered, and none for longer than it holds anybody up', () => {
  let state: Semaphore = FREE_SEMAPHORE;
  for (let limit = 1; limit < 9; limit++)
    state = claimRate(state, { limit, periodMs: 60_000 }, [fresh('a')], NOW).next;
  expect(state.paces).toHaveLength(4);
  expect(idleAfter({ ...state, waiting: false }, NOW)).toBeGreaterThanOrEqual(8_000);
  const later = NOW + 600_000;
  const put = { job: 'a', parks: 1 };
  expect(claimRate(state, { limit: 8, periodMs: 60_000 }, [put], later).next.paces).toBeUndefined();
  // What it was is not known.
  expect(claimStarts({ holders: {}, tat: NOW + 300 }, { ...PACE, count: 9 }, NOW).starts[0]).toBe(NOW + 100);
});
