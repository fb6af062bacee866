import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideCatchUp, defaultWindow, onTimeWithin } from './catch-up.ts';
import type { CatchUp } from './schedule.ts';

const MINUTE = 60_000;
const NOW = 100 * MINUTE;

/** Decides about times that are so many minutes ago, a minute apart. */
function decide(
  minutesAgo: readonly number[],
  catchUp: CatchUp,
  change: { window?: number; complete?: boolean } = {},
) {
  const decision = decideCatchUp({
    times: minutesAgo.map((ago) => NOW - ago * MINUTE),
    complete: change.complete ?? true,
    now: NOW,
    catchUp,
    window: change.window === undefined ? undefined : change.window * MINUTE,
    period: MINUTE,
    cursor: 0,
  });
  const ago = (time: number) => (NOW - time) / MINUTE;
  return {
    due: decision.due.map(ago),
    missed: decision.missed.map(({ from, to, count, reason }) => [ago(from), ago(to), count, reason.code]),
    cursor: ago(decision.cursor),
    more: decision.more,
  };
}

test.each<[string, number[], CatchUp, number | undefined, number[], unknown[]]>([
  ['on time', [0], 'none', undefined, [0], []],
  ['nothing has come', [], 'latest', undefined, [], []],
  ['none: what is late is missed', [3, 2, 1], 'none', undefined, [], [[3, 1, 3, 'catch_up_none']]],
  ['none: what is on time still runs', [2, 1, 0.02], 'none', undefined, [0.02], [[2, 1, 2, 'catch_up_none']]],
  [
    'latest: the default window is the period',
    [3, 2, 1],
    'latest',
    undefined,
    [1],
    [[3, 2, 2, 'catch_up_window']],
  ],
  ['latest within a window', [3, 2, 1], 'latest', 10, [1], [[3, 2, 2, 'catch_up_latest']]],
  ['latest: the one on time is the latest', [2, 1, 0], 'latest', 10, [0], [[2, 1, 2, 'catch_up_latest']]],
  ['latest outside the window', [3, 2], 'latest', 1, [], [[3, 2, 2, 'catch_up_window']]],
  ['all up to a number', [4, 3, 2, 1, 0], { all: 2 }, undefined, [2, 1, 0], [[4, 3, 2, 'catch_up_limit']]],
  ['all, fewer than the number', [2, 1], { all: 5 }, undefined, [2, 1], []],
  ['all within the window', [4, 3, 2, 1], { all: 2 }, 1, [1], [[4, 2, 3, 'catch_up_window']]],
  [
    'two reasons make two rows',
    [90, 80, 3, 2, 1],
    { all: 1 },
    undefined,
    [1],
    [
      [90, 80, 2, 'catch_up_window'],
      [3, 2, 2, 'catch_up_limit'],
    ],
  ],
])('%s', (_what, times, catchUp, window, due, missed) => {
  const decision = decide(times, catchUp, window === undefined ? {} : { window });
  expect(decision).toEqual({ due, missed, cursor: 0, more: false });
});

test('times that were cut leave the last ones undecided, as many as may run', () => {
  expect(decide([9, 8, 7, 6], 'latest', { complete: false, window: 60 })).toEqual({
    due: [],
    missed: [[9, 7, 3, 'catch_up_latest']],
    cursor: 7,
    more: true,
  });
  expect(decide([9, 8, 7, 6], 'none', { complete: false })).toMatchObject({
    cursor: 6,
    missed: [[9, 6, 4, 'catch_up_none']],
  });
  expect(decide([9, 8, 7, 6], { all: 3 }, { complete: false })).toMatchObject({ cursor: 9, due: [] });
  expect(decide([2, 1, 0.01, 0], 'none', { complete: false })).toMatchObject({ cursor: 1, due: [] });
  expect(decide([2, 1], { all: 5 }, { complete: false })).toMatchObject({
    cursor: 100,
    due: [],
    missed: [],
    more: true,
  });
});

test('however the times are cut, the same ones run', () => {
  const rule = fc.oneof(
    fc.constantFrom<CatchUp>('latest', 'none'),
    fc.record({ all: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(
      rule,
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 6, max: 20 }),
      fc.integer({ min: 1, max: 60 }),
      (catchUp, count, limit, window) => {
        const times = Array.from({ length: count }, (_, index) => NOW - (count - index - 1) * MINUTE - 7_000);
        const base = { now: NOW, catchUp, window: window * MINUTE, period: MINUTE };
        const whole = decideCatchUp({ ...base, times, complete: true, cursor: 0 });
        const due: number[] = [];
        let missed = 0;
        for (let cursor = 0, more = true; more; ) {
          const rest = times.filter((time) => time > cursor);
          const decision = decideCatchUp({
            ...base,
            times: rest.slice(0, limit),
            complete: rest.length < limit,
            cursor,
          });
          due.push(...decision.due);
          for (const run of decision.missed) missed += run.count;
          ({ cursor, more } = decision);
        }
        expect(due).toEqual(whole.due);
        expect(due.length + missed).toBe(count);
      },
    ),
  );
});

test('a time is on time within its period, at least 2 s and at most 5 s; the default window is bounded by an hour', () => {
  expect([1_000, 3_000, 3_600_000].map(onTimeWithin)).toEqual([2_000, 3_000, 5_000]);
  expect(defaultWindow('latest', 10_000)).toBe(10_000);
  expect(defaultWindow('none', Number.POSITIVE_INFINITY)).toBe(3_600_000);
  expect(defaultWindow({ all: 3 }, 10_000)).toBe(3_600_000);
});
