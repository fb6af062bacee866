import { expect, test } from 'vitest';
import { previewTimes } from './preview.ts';
import type { When } from './rule.ts';

function preview(when: When, from: string, more: Partial<Parameters<typeof previewTimes>[0]> = {}) {
  return previewTimes({
    when,
    timeZone: 'Europe/Paris',
    anchor: 0,
    from: Date.parse(from),
    count: 3,
    ...more,
  });
}
const codes = (when: When, more: Partial<Parameters<typeof previewTimes>[0]> = {}) =>
  preview(when, '2026-05-04T00:00:00Z', more).warnings.map(({ code }) => code);

test('times as the clock of the zone shows them, and what is odd about them', () => {
  const { items, warnings } = preview({ cron: '30 2 * * *' }, '2026-03-28T12:00:00Z');
  expect(
    items.map(({ local, offset, warnings: known }) => [local, offset, ...known.map(({ code }) => code)]),
  ).toEqual([
    ['2026-03-29T03:30:00', '+02:00', 'gap_shifted'],
    ['2026-03-30T02:30:00', '+02:00'],
    ['2026-03-31T02:30:00', '+02:00'],
  ]);
  expect(items[0]?.nominalTime).toBe(Date.parse('2026-03-29T01:30:00Z'));
  expect(items[0]?.warnings[0]?.message).toBe(
    '2026-03-29T02:30:00 does not exist: the clock jumps over it, and it runs later by the length of the gap',
  );
  expect(warnings).toEqual([]);
  const hourly = preview([{ hourly: { minute: 30 } }, { cron: '30 * * * *' }], '2026-10-24T23:45:00Z').items;
  expect(
    hourly.map(({ local, offset, warnings: known }) => [
      local,
      offset,
      ...known.map(({ message }) => message),
    ]),
  ).toEqual([
    ['2026-10-25T02:30:00', '+02:00'],
    [
      '2026-10-25T02:30:00',
      '+01:00',
      'the clock shows 2026-10-25T02:30:00 twice, and this is the second time',
    ],
    ['2026-10-25T03:30:00', '+01:00'],
  ]);
});

test('what is left out in a gap is named', () => {
  const skip = { dst: { gap: 'skip', fold: 'auto' } } as const;
  const { items, warnings } = preview({ daily: { hour: 2, minute: 30 } }, '2026-03-28T12:00:00Z', skip);
  expect(items[0]?.local).toBe('2026-03-30T02:30:00');
  expect(warnings).toEqual([
    {
      code: 'gap_skipped',
      message: '2026-03-29T02:30:00 does not exist: the clock jumps over it, and it is left out',
    },
  ]);
  expect(preview({ daily: { hour: 12 } }, '2026-03-28T12:00:00Z', skip).warnings).toEqual([]);
  expect(
    preview({ cron: '0 12 29 2 *' }, '2026-03-28T12:00:00Z', { ...skip, timeZone: 'UTC' }).warnings,
  ).toHaveLength(1);
  const two = [{ daily: { hour: 2, minute: 30 } }, { daily: { hour: 2, minute: 5 } }, { at: 0 }];
  expect(preview(two, '2026-03-28T12:00:00Z', { ...skip, count: 100 }).warnings).toHaveLength(1);
  expect(
    preview({ rrule: 'DTSTART:20260301T023000\nRRULE:FREQ=DAILY;COUNT=2' }, '2026-03-28T12:00:00Z', skip)
      .items,
  ).toEqual([]);
});

test('offsets of all kinds, and readings between seconds', () => {
  const at = (timeZone: string, time = '2026-07-01T00:00:00Z') =>
    preview({ at: Date.parse(time) }, '2026-01-01T00:00:00Z', { timeZone }).items.map(
      ({ local, offset }) => `${local}${offset}`,
    );
  expect(at('UTC')).toEqual(['2026-07-01T00:00:00+00:00']);
  expect(at('America/St_Johns')).toEqual(['2026-06-30T21:30:00-02:30']);
  expect(at('Asia/Kathmandu', '2026-07-01T00:00:00.250Z')).toEqual(['2026-07-01T05:45:00.250+05:45']);
});

test('no more times are shown than there will be', () => {
  expect(preview({ cron: '* * * * *' }, '2026-01-01T00:00:00Z', { maxRuns: 5, runs: 3 }).items).toHaveLength(
    2,
  );
  expect(preview({ cron: '* * * * *' }, '2026-01-01T00:00:00Z', { maxRuns: 2 }).items).toHaveLength(2);
  expect(preview({ at: 5 }, '2026-01-01T00:00:00Z').items).toEqual([]);
});

test('what is to be known of a rule, whatever the time', () => {
  expect(codes({ cron: '0 0 31 * *' })).toEqual(['months_skipped']);
  expect(codes({ monthly: { day: 29, hour: 0 } })).toEqual(['months_skipped']);
  expect(codes({ monthly: { day: 28, hour: 0 } })).toEqual([]);
  expect(codes({ monthly: { day: 'last', hour: 0 } })).toEqual([]);
  expect(codes({ cron: '0 0 * * FRI#5' })).toEqual(['months_skipped']);
  expect(codes({ cron: '0 0 29 2 *' })).toEqual(['leap_day']);
  expect(codes({ rrule: 'FREQ=MONTHLY;BYMONTHDAY=31' })).toEqual(['months_skipped']);
  expect(codes({ rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29' })).toEqual(['leap_day']);
  expect(codes({ rrule: 'FREQ=YEARLY;BYYEARDAY=100' })).toEqual([]);
  expect(codes({ rrule: 'FREQ=WEEKLY' })).toEqual([]);
  expect(codes({ cron: '0 0 13 * FRI' })).toEqual(['either_day']);
  expect(codes([{ cron: '0 0 13 * FRI' }, { cron: '0 1 13 * FRI' }])).toEqual(['either_day']);
  expect(codes({ solar: { event: 'sunset', latitude: 48, longitude: 2 } })).toEqual([]);
  expect(codes({ solar: { event: 'sunset', latitude: 70, longitude: 20 } })).toEqual(['polar_days']);
  expect(codes({ solar: { event: 'solar_noon', latitude: 70, longitude: 20 } })).toEqual([]);
  const [months] = preview({ cron: '0 0 31 * *' }, '2026-05-04T00:00:00Z').warnings;
  expect(months?.message).toContain('February, April, June, September, November');
});
