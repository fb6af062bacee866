import { expect, test } from 'vitest';
import { createRecurrence, type RecurrenceParams, timesBetween } from './recurrence.ts';
import type { When } from './rule.ts';
import { isZone, nearestZone } from './zone.ts';

const DAY = 86_400_000;

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

test('"every" without a begin has always been: its steps go backwards, too', () => {
  const recurrence = createRecurrence({ when: { every: 900_000 }, timeZone: 'UTC', anchor: 1_000_500 });
  expect(timesBetween(recurrence, -900_000, 1_000_500, 9)).toEqual([-799_500, 100_500, 1_000_500]);
  const begun = { when: { every: 900_000 }, timeZone: 'UTC', anchor: 1_000_500, startAt: 500_000 };
  expect(timesBetween(createRecurrence(begun), -900_000, 1_000_500, 9)).toEqual([500_000]);
});

test('a search among excluded times that is given up says up to where it has come; one that is over says nothing', () => {
  const dates = ['2026-05-04'];
  const make = (params: Partial<RecurrenceParams>) =>
    createRecurrence({ when: { every: 2_000 }, timeZone: 'UTC', anchor: 0, ...params });
  const day = Date.parse('2026-05-04T00:00:00Z');
  // One after the other: every second second is no stretch that could be passed at once.
  const seconds = make({ exclude: [{ cron: '*/2 * * * * *' }] });
  expect(seconds.next(day)).toBeUndefined();
  const upTo = seconds.gaveUp(day) ?? 0;
  expect(upTo).toBeGreaterThan(day + 100_000);
  expect(seconds.gaveUp(upTo)).toBeGreaterThan(upTo);
  // All of twelve years.
  const minutes = make({ when: { cron: '0 9 * * *' }, exclude: [{ cron: '* * * * *' }] });
  expect(minutes.next(day)).toBeUndefined();
  expect(minutes.gaveUp(day)).toBeGreaterThan(day + DAY);
  // What is found, or ends, was not given up.
  expect(make({ exclude: [{ dates }] }).gaveUp(day)).toBeUndefined();
  expect(make({ exclude: [{ dates }], endAt: day + 1 }).next(day)).toBeUndefined();
  expect(make({ exclude: [{ dates }], endAt: day + 1 }).gaveUp(day)).toBeUndefined();
  expect(make({ when: { at: day + 1 }, exclude: [{ dates }] }).gaveUp(day)).toBeUndefined();
  expect(make({ maxRuns: 1, runs: 1 }).gaveUp(day)).toBeUndefined();
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
  const begun = process.threadCpuUsage();
  expect(timesBetween(recurrence, from, from + DAY, 10_000)).toHaveLength(10_000);
  const { user, system } = process.threadCpuUsage(begun);
  expect((user + system) / 1_000 / 10_000).toBeLessThan(0.1);
});

/** The first times after `from`, as ISO without seconds. */
function fires(params: Partial<RecurrenceParams>, from: string, count: number): string[] {
  const recurrence = createRecurrence({ when: { at: 0 }, timeZone: 'Europe/Paris', anchor: 0, ...params });
  return timesBetween(recurrence, Date.parse(from), Number.POSITIVE_INFINITY, count).map((time) =>
    new Date(time).toISOString().slice(0, 16),
  );
}

// What goes wrong in Celery Beat: celery#6438, celery#4743, django-celery-beat#625: the whole repeated hour is silent.
test('Europe/Paris on 2026-10-25: */15 and 0 * * * * run through the repeated hour', () => {
  expect(fires({ when: { cron: '*/15 * * * *' } }, '2026-10-24T23:45:00Z', 12)).toEqual([
    ...['2026-10-25T00:00', '2026-10-25T00:15', '2026-10-25T00:30', '2026-10-25T00:45'],
    ...['2026-10-25T01:00', '2026-10-25T01:15', '2026-10-25T01:30', '2026-10-25T01:45'],
    ...['2026-10-25T02:00', '2026-10-25T02:15', '2026-10-25T02:30', '2026-10-25T02:45'],
  ]);
  for (const when of [{ cron: '0 * * * *' }, { hourly: {} }, { rrule: 'FREQ=HOURLY' }]) {
    expect(fires({ when }, '2026-10-24T23:00:00Z', 3)).toEqual([
      ...['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'],
    ]);
  }
  // What does not run hourly runs once on that day.
  for (const when of [{ cron: '30 2 * * *' }, { daily: { hour: 2, minute: 30 } }]) {
    expect(fires({ when }, '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
    const both = { when, dst: { gap: 'shift', fold: 'both' } } as const;
    expect(fires(both, '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-25T01:30']);
  }
  const first = { when: { cron: '0 * * * *' }, dst: { gap: 'shift', fold: 'first' } } as const;
  expect(fires(first, '2026-10-24T23:30:00Z', 2)).toEqual(['2026-10-25T00:00', '2026-10-25T02:00']);
});

// rundeck#3234, rundeck#6879: a time in the gap silently lost a job.
test('Europe/Paris on 2026-03-29: 30 2 * * * is shifted by an hour, or left out where the schedule says so', () => {
  for (const when of [
    { cron: '30 2 * * *' },
    { daily: { hour: 2, minute: 30 } },
    { rrule: 'FREQ=DAILY;BYHOUR=2;BYMINUTE=30' },
  ]) {
    expect(fires({ when }, '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:30', '2026-03-30T00:30']);
    const skip = { when, dst: { gap: 'skip', fold: 'auto' } } as const;
    expect(fires(skip, '2026-03-28T12:00:00Z', 1)).toEqual(['2026-03-30T00:30']);
  }
});

test('the last time of a rule that ends is not lost in a gap, nor its second pass in a fold', () => {
  const gap = { rrule: 'DTSTART:20260328T023000\nRRULE:FREQ=DAILY;COUNT=2' };
  expect(fires({ when: gap }, '2026-03-01T00:00:00Z', 5)).toEqual(['2026-03-28T01:30', '2026-03-29T01:30']);
  const fold = { rrule: 'DTSTART:20261025T023000\nRRULE:FREQ=HOURLY;COUNT=1' };
  expect(fires({ when: fold }, '2026-10-01T00:00:00Z', 5)).toEqual(['2026-10-25T00:30', '2026-10-25T01:30']);
});

// django-celery-beat#194, #161: an offset taken on a winter day, and zones whose rules change.
test('a zone that changes its rules is followed: Mexico gave up summer time in 2022, Kazakhstan went back in 2024', () => {
  const daily = { when: { cron: '0 9 * * *' } };
  expect(fires({ ...daily, timeZone: 'America/Mexico_City' }, '2022-07-01T00:00:00Z', 1)).toEqual([
    '2022-07-01T14:00',
  ]);
  expect(fires({ ...daily, timeZone: 'America/Mexico_City' }, '2023-07-01T00:00:00Z', 1)).toEqual([
    '2023-07-01T15:00',
  ]);
  expect(fires({ ...daily, timeZone: 'Asia/Almaty' }, '2024-02-28T05:00:00Z', 3)).toEqual([
    ...['2024-02-29T03:00', '2024-03-01T04:00', '2024-03-02T04:00'],
  ]);
});

// temporal#5811: the last day of a month cannot be said.
test('29 February, 31 and the last day of months', () => {
  expect(fires({ when: { cron: '0 0 29 2 *' }, timeZone: 'UTC' }, '2026-01-01T00:00:00Z', 2)).toEqual([
    '2028-02-29T00:00',
    '2032-02-29T00:00',
  ]);
  expect(fires({ when: { cron: '0 0 31 * *' }, timeZone: 'UTC' }, '2026-02-01T00:00:00Z', 3)).toEqual([
    ...['2026-03-31T00:00', '2026-05-31T00:00', '2026-07-31T00:00'],
  ]);
  expect(
    fires({ when: { monthly: { day: 'last', hour: 0 } }, timeZone: 'UTC' }, '2028-02-01T00:00:00Z', 2),
  ).toEqual([...['2028-02-29T00:00', '2028-03-31T00:00']]);
});
