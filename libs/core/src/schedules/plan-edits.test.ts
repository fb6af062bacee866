import { expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { HOUR, MINUTE, make, plan, rows, spec, T0 } from './plan.fixture.ts';
import type { ScheduleSpec } from './schedule.ts';

test('an edit holds from its time on: nothing of before is lost, and nothing fires in retrospect', () => {
  const old: ScheduleSpec = { ...spec, catchUp: { all: 100 } };
  const until = T0 + 2.5 * MINUTE;
  const schedule = make(
    { when: { every: 2 * MINUTE }, catchUp: { all: 100 } },
    { superseded: [{ definition: old, until }] },
  );
  const planned = plan(schedule, T0 + 6 * MINUTE);
  expect(planned.times.map(({ nominalTime }) => (nominalTime - T0) / MINUTE)).toEqual([1, 2, 4, 6]);
  expect(planned).toMatchObject({ superseded: [], nextAt: T0 + 8 * MINUTE });
  // By another clock the edit may still be ahead.
  const ahead = plan(schedule, T0 + 2.2 * MINUTE);
  expect(ahead).toMatchObject({ superseded: [{ until }], nextAt: until });
  const broken = make(
    { catchUp: { all: 9 } },
    { superseded: [{ definition: { ...old, when: { cron: 'x' } }, until }] },
  );
  expect(rows(plan(broken, T0 + 3 * MINUTE)).map(([minute]) => minute)).toEqual([3]);
});

test('hundreds of edits that nobody has planned are planned in steps, and none of their times twice', () => {
  const superseded = Array.from({ length: 250 }, (_, index) => ({
    definition: { ...spec, catchUp: { all: 1_000 } },
    until: T0 + (index + 0.5) * MINUTE,
  }));
  const now = T0 + 300 * MINUTE;
  let schedule = make({ catchUp: { all: 1_000 }, catchUpWindow: 10 * HOUR }, { superseded });
  const minutes: number[] = [];
  const steps: number[] = [];
  for (let next = now; next <= now; ) {
    const planned = plan(schedule, now);
    minutes.push(...planned.times.map(({ nominalTime }) => (nominalTime - T0) / MINUTE));
    steps.push(planned.superseded.length);
    next = planned.nextAt ?? now + 1;
    schedule = { ...schedule, ...planned };
  }
  expect(steps).toEqual([150, 50, 0]);
  expect(minutes).toEqual(Array.from({ length: 300 }, (_, index) => index + 1).slice(-minutes.length));
  expect(new Set(minutes).size).toBe(minutes.length);
});

test('of edits with many times each no more are planned at once than of one', () => {
  const every = { when: { every: 1_000 } };
  const day = 24 * HOUR;
  const superseded = [1, 2, 3].map((days) => ({
    definition: { ...spec, ...every },
    until: T0 + days * 2 * HOUR,
  }));
  const planned = plan(make(every, { superseded }), T0 + day);
  expect(planned.looked).toBe(2 * 7_200);
  expect(planned).toMatchObject({ cursor: T0 + 4 * HOUR, nextAt: T0 + 4 * HOUR });
  expect(planned.superseded).toHaveLength(1);
});

test.each<[string, Partial<ScheduleSpec>]>([
  ['cannot be read', { when: { cron: 'x' } }],
  ['has had all its runs', { maxRuns: 5 }],
  ['fires no more', { endAt: T0 - 1 }],
])(
  'what held before and %s fires nothing up to its edit, at which the new definition begins',
  (_what, old) => {
    const until = T0 + 2.5 * MINUTE;
    const superseded = [{ definition: { ...spec, ...old }, until }];
    const ahead = plan(make({}, { superseded, runs: 5 }), T0 + 2 * MINUTE);
    expect(ahead).toMatchObject({ times: [], nextAt: until, superseded });
    const after = plan(make({}, { superseded, runs: 5, cursor: ahead.cursor }), until);
    expect(after).toMatchObject({ times: [], nextAt: T0 + 3 * MINUTE, superseded: [] });
  },
);

test('the definition that holds is not passed over when it cannot be read: whoever plans is told', () => {
  expect(() => plan(make({ when: { cron: 'x' } }), T0 + MINUTE)).toThrow(InvalidInputError);
});
