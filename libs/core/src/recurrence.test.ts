import { expect, test } from 'vitest';
import { createRecurrence, timesBetween } from './recurrence.ts';
import type { When } from './schedule.ts';
import { isZone, nearestZone } from './zone.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Reading {
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/**
 * The oracle knows nothing of offsets or periods: it reads the zone's clock at every minute, as `Intl` shows it, and finds
 * gaps and repetitions by looking which readings of the calendar never came, or came twice.
 */
function oracle(
  timeZone: string,
  from: number,
  to: number,
  hourly: boolean,
  fires: (reading: Reading) => boolean,
  step = MINUTE,
): number[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const shown = new Map<number, number[]>();
  for (let time = from - 3 * DAY; time < to + 3 * DAY; time += step) {
    const reading = Date.parse(`${format.format(time).replace(' ', 'T')}Z`);
    const seen = shown.get(reading);
    if (seen) seen.push(time);
    else shown.set(reading, [time]);
  }
  const instants = (reading: number): readonly number[] => {
    const seen = shown.get(reading);
    if (seen) return hourly ? seen : seen.slice(0, 1);
    let first = reading;
    while (!shown.has(first - step)) first -= step;
    let end = reading;
    while (!shown.has(end)) end += step;
    return (shown.get(reading + end - first) ?? []).slice(0, 1);
  };
  const times = new Set<number>();
  for (let reading = from - 2 * DAY; reading < to + 2 * DAY; reading += step) {
    if (fires(partsOf(reading))) for (const time of instants(reading)) times.add(time);
  }
  return [...times].filter((time) => time > from && time <= to).sort((a, b) => a - b);
}

function partsOf(reading: number): Reading {
  const clock = new Date(reading);
  return {
    day: clock.getUTCDate(),
    weekday: clock.getUTCDay(),
    hour: clock.getUTCHours(),
    minute: clock.getUTCMinutes(),
  };
}

const rules: readonly [cron: string, hourly: boolean, fires: (reading: Reading) => boolean][] = [
  ['30 2 * * *', false, ({ hour, minute }) => hour === 2 && minute === 30],
  ['0 0 * * *', false, ({ hour, minute }) => hour === 0 && minute === 0],
  ['15 */2 * * *', false, ({ hour, minute }) => hour % 2 === 0 && minute === 15],
  ['*/10 1-3 * * *', false, ({ hour, minute }) => hour >= 1 && hour <= 3 && minute % 10 === 0],
  ['*/15 * * * *', true, ({ minute }) => minute % 15 === 0],
  ['45 * * * 0', true, ({ weekday, minute }) => weekday === 0 && minute === 45],
  ['59 23 30,31 * *', false, ({ day, hour, minute }) => day >= 30 && hour === 23 && minute === 59],
];

test.each([
  ['Europe/Berlin', '2026-03-29', 'an hour ahead'],
  ['Europe/Berlin', '2026-10-25', 'an hour back'],
  ['America/New_York', '2027-03-14', 'an hour ahead'],
  ['America/New_York', '2027-11-07', 'an hour back'],
  ['Australia/Lord_Howe', '2026-04-05', 'half an hour back'],
  ['Australia/Lord_Howe', '2026-10-04', 'half an hour ahead'],
  ['Asia/Kathmandu', '2026-05-01', 'no change, an offset of 5:45'],
  ['America/Sao_Paulo', '2018-11-04', 'ahead at midnight'],
  ['America/Sao_Paulo', '2019-02-17', 'back at midnight'],
  ['Pacific/Apia', '2011-12-30', 'a day left out'],
  ['Africa/Casablanca', '2026-02-15', 'back for Ramadan'],
  ['Africa/Casablanca', '2026-03-22', 'ahead after Ramadan'],
  ['UTC', '2026-03-29', 'no change ever'],
])('%s around %s (%s) fires as an independent reading of the clock says', (zone, day, _what) => {
  const from = Date.parse(`${day}T00:00:00Z`) - 2 * DAY;
  for (const [cron, hourly, fires] of rules) {
    const expected = oracle(zone, from, from + 4 * DAY, hourly, fires);
    const recurrence = createRecurrence({ when: { cron }, timeZone: zone, anchor: 0 });
    expect(timesBetween(recurrence, from, from + 4 * DAY, 10_000), cron).toEqual(expected);
    // Asked from anywhere, by a recurrence that knows nothing yet, the answer is the same.
    for (let after = from; after < from + 4 * DAY; after += 47 * MINUTE + 1) {
      const fresh = createRecurrence({ when: { cron }, timeZone: zone, anchor: 0 });
      const next = expected.find((time) => time > after);
      if (next !== undefined)
        expect(fresh.next(after), `${cron} after ${new Date(after).toISOString()}`).toBe(next);
    }
  }
});

test.each(['Europe/Berlin', 'Australia/Lord_Howe', 'Africa/Casablanca'])('%s over three years', (zone) => {
  const from = Date.parse('2026-01-01T00:00:00Z');
  const recurrence = createRecurrence({ when: { cron: '15 2 * * *' }, timeZone: zone, anchor: 0 });
  const expected = oracle(
    zone,
    from,
    from + 3 * 365 * DAY,
    false,
    ({ hour, minute }) => hour === 2 && minute === 15,
    15 * MINUTE,
  );
  expect(timesBetween(recurrence, from, from + 3 * 365 * DAY, 10_000)).toEqual(expected);
});

test('rare times are found across many changes of the clock', () => {
  const next = (cron: string, after: string) => {
    const time = createRecurrence({ when: { cron }, timeZone: 'Europe/Berlin', anchor: 0 }).next(
      Date.parse(after),
    );
    return time === undefined ? undefined : new Date(time).toISOString();
  };
  expect(next('0 12 29 2 *', '2026-03-01T00:00:00Z')).toBe('2028-02-29T11:00:00.000Z');
  expect(next('0 12 1 7 *', '2026-07-01T10:00:00Z')).toBe('2027-07-01T10:00:00.000Z');
  expect(next('0 12 31 2 *', '2026-07-01T10:00:00Z')).toBeUndefined();
});

test('"every" counts from its anchor, or from "from", and never drifts', () => {
  const at = (when: When, after: number) =>
    createRecurrence({ when, timeZone: 'UTC', anchor: 1_000_500 }).next(after);
  expect(at({ every: 10_000 }, 1_000_500)).toBe(1_010_500);
  expect(at({ every: 10_000 }, 1_010_499)).toBe(1_010_500);
  expect(at({ every: 10_000 }, 9_999_000_001)).toBe(9_999_000_500);
  expect(at({ every: 10_000, from: 2_000_000 }, 5)).toBe(2_000_000);
  expect(at({ every: 10_000, from: 2_000_000 }, 2_000_000)).toBe(2_010_000);
});

test('several rules are united, equal times fire once, and "at" fires once', () => {
  const when: When = [{ at: 5_000 }, { every: 10_000, from: 10_000 }, { every: 15_000, from: 15_000 }];
  const recurrence = createRecurrence({ when, timeZone: 'UTC', anchor: 0 });
  expect(timesBetween(recurrence, 0, 45_000, 100)).toEqual([
    5_000, 10_000, 15_000, 20_000, 30_000, 40_000, 45_000,
  ]);
  expect(timesBetween(recurrence, 0, 45_000, 2)).toEqual([5_000, 10_000]);
  expect(createRecurrence({ when: { at: 5_000 }, timeZone: 'UTC', anchor: 0 }).next(5_000)).toBeUndefined();
});

test('zones are known by their IANA names', () => {
  expect(isZone('Europe/Berlin')).toBe(true);
  expect(isZone('UTC')).toBe(true);
  for (const name of ['Europe/Berln', '+02:00', '', 'x'.repeat(65)]) expect(isZone(name)).toBe(false);
  expect(nearestZone('Europe/Berln')).toBe('Europe/Berlin');
  expect(nearestZone('nowhere at all')).toBeUndefined();
});

test('asking is cheap', () => {
  const recurrence = createRecurrence({
    when: { cron: '* * * * * *' },
    timeZone: 'Europe/Berlin',
    anchor: 0,
  });
  const from = Date.parse('2026-05-01T00:00:00Z');
  const begun = performance.now();
  expect(timesBetween(recurrence, from, from + DAY, 10_000)).toHaveLength(10_000);
  expect((performance.now() - begun) / 10_000).toBeLessThan(0.1);
});
