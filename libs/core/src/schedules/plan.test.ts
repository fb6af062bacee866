import { expect, test } from 'vitest';
import { MAX_TIMES } from './catch-up.ts';
import { HOUR, MINUTE, make, plan, rows, T0 } from './plan.fixture.ts';
import type { PlannableSchedule, SchedulePlan } from './plan.ts';
import type { ScheduleSpec } from './schedule.ts';

test('after 8 hours without a scheduler each catch-up rule decides, and says from when to when there was none', () => {
  const now = T0 + 8 * HOUR;
  const gap = { from: T0, to: now };
  const away = 'no scheduler from 2026-01-01T00:00:00.000Z to 2026-01-01T08:00:00.000Z';
  const hourly = { when: { every: HOUR, from: T0 + HOUR / 2 } };
  const half = (hours: number) => hours * 60 - 30;
  expect(rows(plan(make({ ...hourly, catchUp: 'latest' }), now, gap))).toEqual([
    [half(1), half(7), 7, 'missed', `outside the catch-up window of 1h: ${away}`],
    [half(8), half(8), 1, 'due', `caught up: ${away}`],
  ]);
  expect(rows(plan(make({ ...hourly, catchUp: 'latest', catchUpWindow: 9 * HOUR }), now, gap))).toEqual([
    [half(1), half(7), 7, 'missed', `missed, and only the latest one is caught up: ${away}`],
    [half(8), half(8), 1, 'due', `caught up: ${away}`],
  ]);
  expect(rows(plan(make({ ...hourly, catchUp: 'none' }), now, gap))).toEqual([
    [half(1), half(8), 8, 'missed', `missed, and the schedule catches nothing up: ${away}`],
  ]);
  const all = plan(
    make({ ...hourly, catchUp: { all: 3, spread: 5 * MINUTE }, catchUpWindow: 24 * HOUR }),
    now,
    gap,
  );
  expect(rows(all).slice(0, 2)).toEqual([
    [half(1), half(5), 5, 'missed', `missed, and only the latest 3 are caught up: ${away}`],
    [half(6), half(6), 1, 'due', `caught up: ${away}`],
  ]);
  expect(all.times.slice(1).map(({ dispatchAt }) => ((dispatchAt ?? 0) - now) / MINUTE)).toEqual([0, 5, 10]);
});

test('what falls into a pause is written down while it lasts, and a pause that has an end goes on by itself', () => {
  const paused = { by: 'ann', note: 'maintenance', since: T0 + 2.5 * MINUTE, until: T0 + 6 * MINUTE };
  const schedule = make({ catchUp: { all: 100 } }, { paused });
  const text = 'paused by ann: maintenance';
  const before = plan(schedule, T0 + 4 * MINUTE);
  expect(rows(before)).toEqual([
    [1, 1, 1, 'due', 'caught up'],
    [2, 2, 1, 'due', 'caught up'],
    [3, 4, 2, 'skipped', text],
  ]);
  expect(before).toMatchObject({ resumed: false, nextAt: T0 + 5 * MINUTE });
  const after = plan({ ...schedule, cursor: before.cursor }, T0 + 6 * MINUTE);
  expect(rows(after)).toEqual([
    [5, 5, 1, 'skipped', text],
    [6, 6, 1, 'due', undefined],
  ]);
  expect(after.resumed).toBe(true);
  const forever = { by: 'ann', since: paused.since };
  const still = plan(make({}, { paused: forever, cursor: T0 + 3 * MINUTE }), T0 + 6 * MINUTE);
  expect(rows(still)).toEqual([[4, 6, 3, 'skipped', 'paused by ann']]);
  expect(still.resumed).toBe(false);
});

test('a pause between two times costs none, and leaves no row', () => {
  const paused = { by: 'ann', since: T0 + 10 * MINUTE, until: T0 + 20 * MINUTE };
  const hourly = make({ when: { every: HOUR } }, { paused });
  const during = plan(hourly, T0 + 15 * MINUTE);
  expect(during).toMatchObject({ times: [], cursor: T0 + 15 * MINUTE, nextAt: T0 + HOUR, resumed: false });
  const after = plan({ ...hourly, cursor: during.cursor }, T0 + HOUR);
  expect(rows(after)).toEqual([[60, 60, 1, 'due', undefined]]);
  expect(after.resumed).toBe(true);
});

test('it ends when so many times have come due', () => {
  const planned = plan(make({ maxRuns: 3, catchUp: { all: 100 } }, { runs: 1 }), T0 + 9 * MINUTE);
  expect(rows(planned).map(([minute]) => minute)).toEqual([1, 2]);
  expect(planned.runs).toBe(3);
  expect('nextAt' in planned).toBe(false);
  const ended = plan(make({ endAt: T0 + 2 * MINUTE }, { cursor: T0 + MINUTE }), T0 + 2 * MINUTE);
  expect(rows(ended)).toEqual([[2, 2, 1, 'due', undefined]]);
  expect('nextAt' in ended).toBe(false);
});

test('with jitter each run has its own moment before the next time, the same whoever plans it', () => {
  const schedule = make({ jitter: 10 * MINUTE, catchUp: { all: 100 } });
  const at = (now: number) => plan({ ...schedule, cursor: now - 1 }, now).times[0]?.dispatchAt ?? 0;
  const moments = Array.from({ length: 50 }, (_, index) => at(T0 + (index + 1) * MINUTE));
  for (const [index, moment] of moments.entries()) {
    expect(moment).toBeGreaterThanOrEqual(T0 + (index + 1) * MINUTE);
    expect(moment).toBeLessThan(T0 + (index + 2) * MINUTE);
    expect(at(T0 + (index + 1) * MINUTE)).toBe(moment);
  }
  expect(new Set(moments.map((moment, index) => moment - index * MINUTE)).size).toBeGreaterThan(40);
});

test('however the clock goes back, what is planned is not planned again', () => {
  const schedule = make({ catchUp: { all: 100 } }, { cursor: T0 + 10 * MINUTE });
  const planned = plan(schedule, T0 + 5 * MINUTE);
  expect(planned).toMatchObject({ times: [], cursor: T0 + 10 * MINUTE, nextAt: T0 + 11 * MINUTE });
});

test('a long outage is planned in bounded passes, and every nominal time is accounted for once', () => {
  const seconds = 86_400;
  const now = T0 + seconds * 1_000;
  const through = (change: Partial<ScheduleSpec>, fields: Partial<PlannableSchedule> = {}) => {
    let schedule = make({ when: { every: 1_000 }, ...change }, fields);
    const found: SchedulePlan['times'][number][] = [];
    let passes = 0;
    for (let nextAt: number | undefined = T0; nextAt !== undefined && nextAt <= now; passes++) {
      const planned = plan(schedule, now);
      expect(planned.looked).toBeLessThanOrEqual(MAX_TIMES);
      found.push(...planned.times);
      ({ nextAt } = planned);
      schedule = { ...schedule, cursor: planned.cursor, runs: planned.runs };
    }
    const times = found.reduce((sum, { count = 1 }) => sum + count, 0);
    const due = found.filter(({ state }) => state === 'due').map(({ nominalTime }) => nominalTime);
    return { passes, times, due };
  };
  // What is at most 2 s late is on time.
  expect(through({})).toEqual({ passes: 9, times: seconds, due: [now - 2_000, now - 1_000, now] });
  const all = through({ catchUp: { all: 1_000 } });
  expect(all).toMatchObject({ passes: 10, times: seconds });
  expect(all.due).toHaveLength(1_003);
  const paused = { by: 'ann', since: T0, until: now };
  expect(through({}, { paused })).toEqual({ passes: 9, times: seconds, due: [now] });
});

test('a stretch of excluded times that is too long to search is said, looked at again, and lost is nothing behind it', () => {
  // One by one, for four hours: more than one search.
  const exclude = [{ cron: '*/2 * 1-4 * * *' }];
  const end = T0 + 5 * HOUR;
  const schedule = make({ when: { every: 2_000 }, exclude, catchUp: { all: 3 }, catchUpWindow: 9 * HOUR });
  const from = { ...schedule, cursor: T0 + HOUR };
  const first = plan(from, from.cursor);
  const until = new Date(first.nextAt ?? 0).toISOString();
  expect(first.problem).toBe(
    `/exclude: all its times up to ${until} are left out, and what comes then is not known yet; leave out less, or end it`,
  );
  let at = from.cursor;
  let looks = 0;
  let last = first;
  while (last.times.length === 0 && looks++ < 100) {
    at = Math.max(at, last.nextAt ?? Number.NaN);
    last = plan({ ...from, cursor: last.cursor }, at);
  }
  expect(looks).toBeGreaterThan(1);
  expect(last).toMatchObject({ times: [{ nominalTime: end, state: 'due' }] });
  expect(last.problem).toBeUndefined();

  // The same when nobody was there meanwhile, paused or not.
  for (const pause of [{}, { paused: { by: 'me', since: end - 1 } }]) {
    let next = plan({ ...from, ...pause }, end + 500);
    const found = [...next.times];
    for (looks = 0; (next.nextAt ?? Number.POSITIVE_INFINITY) <= end + 500 && looks < 100; looks++) {
      next = plan({ ...from, ...pause, cursor: next.cursor }, end + 500);
      found.push(...next.times);
    }
    expect(found.map(({ nominalTime }) => nominalTime)).toEqual([end]);
    expect(next.nextAt).toBe(end + 2_000);
  }
});
