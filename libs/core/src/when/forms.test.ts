import { expect, test } from 'vitest';
import { jitterOf } from './jitter.ts';
import { createRecurrence, type RecurrenceParams, timesBetween } from './recurrence.ts';
import { type Rule, SOLAR_EVENTS, type SolarEvent } from './rule.ts';

const PARIS = { latitude: 48.8566, longitude: 2.3522 };

function times(params: Partial<RecurrenceParams>, from: string, count: number): string[] {
  const recurrence = createRecurrence({ when: { at: 0 }, timeZone: 'UTC', anchor: 0, ...params });
  return timesBetween(recurrence, Date.parse(from), Number.POSITIVE_INFINITY, count).map((time) =>
    new Date(time).toISOString().slice(0, 19),
  );
}

test.each<[string, Rule, string]>([
  ['hourly', { hourly: { minute: 20 } }, '20 * * * *'],
  ['hourly, at the hour', { hourly: {} }, '@hourly'],
  ['daily', { daily: { hour: 3, minute: 15 } }, '15 3 * * *'],
  ['daily, at the hour', { daily: { hour: 0 } }, '@midnight'],
  ['weekly', { weekly: { weekday: 'monday', hour: 8 } }, '0 8 * * 1'],
  [
    'weekly, several days',
    { weekly: { weekday: ['saturday', 'sunday'], hour: 8, minute: 5 } },
    '5 8 * * 6,7',
  ],
  ['monthly', { monthly: { day: 31, hour: 8 } }, '0 8 31 * *'],
  ['monthly, the last day', { monthly: { day: 'last', hour: 8, minute: 30 } }, '30 8 L * *'],
])('%s means a cron', (_what, when, cron) => {
  const of = (rule: Rule) => times({ when: rule, timeZone: 'Europe/Paris' }, '2026-01-15T00:00:00Z', 20);
  expect(of(when)).toEqual(of({ cron }));
  expect(of(when)).toHaveLength(20);
});

test.each([
  ['0 0 15W * *', ['2026-01-15', '2026-02-16', '2026-03-16', '2026-04-15', '2026-05-15']],
  [
    '0 0 1W * *',
    [
      '2026-01-01',
      '2026-02-02',
      '2026-03-02',
      '2026-04-01',
      '2026-05-01',
      '2026-06-01',
      '2026-07-01',
      '2026-08-03',
    ],
  ],
  ['0 0 31W * *', ['2026-01-30', '2026-03-31', '2026-05-29', '2026-07-31']],
  ['0 0 28w 2 *', ['2026-02-27', '2027-02-26', '2028-02-28', '2029-02-28']],
  ['0 0 LW * *', ['2026-01-30', '2026-02-27', '2026-03-31', '2026-04-30', '2026-05-29']],
  ['0 0 1,15W * *', ['2026-01-01', '2026-01-15', '2026-02-01', '2026-02-16']],
])('%s is the nearest weekday within the month', (cron, days) => {
  const from = '2025-12-31T12:00:00Z';
  expect(times({ when: { cron } }, from, days.length)).toEqual(days.map((day) => `${day}T00:00:00`));
});

test('the sun over Paris: nine events in their order, true to two minutes (as almanacs have them)', () => {
  const on = (event: SolarEvent) =>
    times({ when: { solar: { event, ...PARIS } } }, '2026-03-19T23:00:00Z', 1)[0];
  const minutes = (time = '') => Number(time.slice(11, 13)) * 60 + Number(time.slice(14, 16));
  expect(SOLAR_EVENTS.map(on)).toEqual(SOLAR_EVENTS.map(on).sort());
  for (const [event, hour, minute] of [
    ...[
      ['sunrise', 5, 55],
      ['solar_noon', 11, 58],
      ['sunset', 18, 3],
    ],
    ...[
      ['dawn_civil', 5, 24],
      ['dusk_civil', 18, 34],
    ],
  ] as const) {
    expect(
      Math.abs(minutes(on(event as SolarEvent)) - Number(hour) * 60 - Number(minute)),
      event,
    ).toBeLessThanOrEqual(2);
  }
});

test('each solar day has one, whatever the longitude', () => {
  for (const longitude of [-180, -179.9, -120, 0, 120, 179.9, 180]) {
    const days = times(
      { when: { solar: { event: 'sunset', latitude: 10, longitude } } },
      '2026-01-01T00:00:00Z',
      400,
    );
    const gaps = days.slice(1).map((time, index) => Date.parse(`${time}Z`) - Date.parse(`${days[index]}Z`));
    for (const gap of gaps) expect(Math.abs(gap - 86_400_000)).toBeLessThan(120_000);
  }
});

test('polar days and nights are skipped, and where the sun never rises there is no time', () => {
  const tromso = { latitude: 69.65, longitude: 18.96 };
  expect(times({ when: { solar: { event: 'sunrise', ...tromso } } }, '2026-11-20T00:00:00Z', 60)).toSatisfy(
    (days: string[]) =>
      days.some(
        (day, index) => Date.parse(`${day}Z`) - Date.parse(`${days[index - 1] ?? day}Z`) > 40 * 86_400_000,
      ),
  );
  expect(
    times({ when: { solar: { event: 'sunrise', latitude: 90, longitude: 0 } } }, '2026-01-01T00:00:00Z', 1),
  ).toEqual([]);
});

test('a schedule begins and ends, both times included, and "every" counts from its begin', () => {
  const startAt = Date.parse('2026-05-04T12:00:30Z');
  const endAt = startAt + 20_000;
  const every = { when: { every: 10_000 }, startAt, endAt };
  expect(times(every, '2026-01-01T00:00:00Z', 9).map((time) => time.slice(17))).toEqual(['30', '40', '50']);
  const daily = { when: { cron: '30 * * * * *' }, startAt, endAt };
  expect(times(daily, '2026-01-01T00:00:00Z', 9)).toEqual(['2026-05-04T12:00:30']);
  expect(times({ when: { at: startAt - 1 }, startAt }, '2026-01-01T00:00:00Z', 9)).toEqual([]);
});

test('after its last run a schedule has no time', () => {
  const when = { cron: '* * * * *' };
  expect(times({ when, maxRuns: 3, runs: 2 }, '2026-01-01T00:00:00Z', 1)).toHaveLength(1);
  expect(times({ when, maxRuns: 3, runs: 3 }, '2026-01-01T00:00:00Z', 1)).toEqual([]);
});

test('jitter is always the same for one occurrence, within its bound and before the next', () => {
  const of = (nominalTime: number, jitter: number, next?: number) =>
    jitterOf({ scheduleId: 's', nominalTime, jitter, next });
  const drawn = Array.from({ length: 1_000 }, (_, index) => of(index * 60_000, 30_000, (index + 1) * 60_000));
  expect(drawn).toEqual(Array.from({ length: 1_000 }, (_, index) => of(index * 60_000, 30_000, undefined)));
  expect(Math.min(...drawn)).toBeLessThan(300);
  expect(Math.max(...drawn)).toBeLessThan(30_000);
  expect(Math.max(...drawn)).toBeGreaterThan(29_700);
  for (const nominalTime of drawn)
    expect(of(nominalTime, 3_600_000, nominalTime + 1_000)).toBeLessThan(1_000);
  expect(of(5, 0)).toBe(0);
  expect(of(5, 1_000, 6)).toBe(0);
  expect(jitterOf({ scheduleId: 't', nominalTime: 0, jitter: 30_000, next: undefined })).not.toBe(
    of(0, 30_000),
  );
});
