import { expect, test } from 'vitest';
import type { Exclusion, Rule } from './rule.ts';
import { MAX_EXCLUSIONS, validateWhen, type WhenSpec } from './validate-when.ts';

const NOW = Date.parse('2026-05-01T00:00:00Z');
const TEN_YEARS = 3_650 * 86_400_000;
const PLACE = { latitude: 48, longitude: 2 };
const check = (spec: Partial<WhenSpec>) =>
  validateWhen({ when: { cron: '0 3 * * *' }, timeZone: 'Europe/Paris', ...spec }, NOW).map(
    ({ pointer, code }) => `${pointer} ${code}`,
  );

test.each<[Partial<WhenSpec>]>([
  [{ when: { rrule: 'FREQ=MONTHLY;BYDAY=-1FR' } }],
  [{ when: { rrule: 'DTSTART:20200101T000000\nRRULE:FREQ=DAILY' } }],
  [{ when: { solar: { event: 'sunrise', ...PLACE } } }],
  [
    {
      when: [{ hourly: {} }, { daily: { hour: 23, minute: 59 } }, { weekly: { weekday: 'friday', hour: 0 } }],
    },
  ],
  [{ when: { weekly: { weekday: ['monday', 'friday'], hour: 0 } } }],
  [{ when: { monthly: { day: 'last', hour: 0 } } }],
  [{ when: { monthly: { day: 31, hour: 0 } } }],
  [{ exclude: [{ dates: ['2026-12-25'] }, { cron: '* * * * SUN' }] }],
  [{ exclude: [] }],
  [{ dst: { gap: 'skip', fold: 'both' }, jitter: 5, startAt: NOW + 5, endAt: NOW + TEN_YEARS, maxRuns: 1 }],
])('%j is accepted', (spec) => {
  expect(check(spec)).toEqual([]);
});

test.each<[Partial<WhenSpec>, ...string[]]>([
  [{ when: { rrule: 'FREQ=NEVER' } }, '/when/rrule invalid_rrule'],
  [{ when: { rrule: 'FREQ=YEARLY;COUNT=1000' } }, '/when/rrule invalid_rrule'],
  [
    { when: [{ every: 5_000 }, { rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' }] },
    '/when/1/rrule never_fires',
  ],
  [{ when: { rrule: 'DTSTART:20200101T000000\nRRULE:FREQ=DAILY;COUNT=3' } }, '/when never_fires'],
  [{ when: { solar: { event: 'moonrise' as 'sunrise', ...PLACE } } }, '/when/solar/event invalid_value'],
  [
    { when: { solar: { event: 'sunset', latitude: 91, longitude: Number.NaN } } },
    '/when/solar/latitude invalid_value',
    '/when/solar/longitude invalid_value',
  ],
  [{ when: { solar: { event: 'sunset', latitude: 90, longitude: 0 } } }, '/when/solar never_fires'],
  [{ when: { hourly: { minute: 60 } } }, '/when/hourly/minute invalid_value'],
  [
    { when: { daily: { hour: 24, minute: -1 } } },
    '/when/daily/hour invalid_value',
    '/when/daily/minute invalid_value',
  ],
  [{ when: { weekly: { weekday: 'mon' as 'monday', hour: 1 } } }, '/when/weekly/weekday invalid_value'],
  [{ when: { weekly: { weekday: [], hour: 1 } } }, '/when/weekly/weekday invalid_value'],
  [
    { when: { monthly: { day: 32, hour: 1.5 } } },
    '/when/monthly/hour invalid_value',
    '/when/monthly/day invalid_value',
  ],
  [
    { timeZone: 'Europe/Pariss', when: { cron: '61 * * * *' } },
    '/timeZone unknown_time_zone',
    '/when/cron invalid_cron',
  ],
  [{ timeZone: 'nowhere at all' }, '/timeZone unknown_time_zone'],
  [{ exclude: [{ cron: '61 * * * *' }] }, '/exclude/0/cron invalid_cron'],
  [{ exclude: [{ dates: ['2026-02-29'] }] }, '/exclude/0/dates/0 invalid_date'],
  [
    { exclude: [{ dates: ['2026-02-28', 'tomorrow'] }], jitter: -1 },
    '/exclude/0/dates/1 invalid_date',
    '/jitter invalid_duration',
  ],
  [{ exclude: [{ dates: [] }] }, '/exclude/0/dates invalid_exclude'],
  [{ exclude: [{ ical: 'BEGIN:VCALENDAR' }] }, '/exclude/0/ical invalid_ical'],
  [{ exclude: [{ ical: 'x'.repeat(70_000) }] }, '/exclude invalid_exclude'],
  [
    { exclude: Array.from({ length: MAX_EXCLUSIONS + 1 }, (): Exclusion => ({ cron: '0 0 * * *' })) },
    '/exclude invalid_exclude',
  ],
  [{ exclude: [{ cron: '* * * * *' }] }, '/exclude never_fires'],
  [
    { dst: { gap: 'jump' as 'skip', fold: 'last' as 'first' } },
    '/dst/gap invalid_value',
    '/dst/fold invalid_value',
  ],
  [{ jitter: TEN_YEARS + 1 }, '/jitter invalid_duration'],
  [{ startAt: NOW + TEN_YEARS + 1 }, '/startAt invalid_time'],
  [{ endAt: Number.NaN }, '/endAt invalid_time'],
  [{ endAt: NOW - 1 }, '/endAt never_fires'],
  [{ startAt: NOW + 10, endAt: NOW + 5 }, '/endAt never_fires'],
  [{ when: { at: NOW + 5 }, startAt: NOW + 10 }, '/when never_fires'],
  [{ endAt: NOW + 5, dst: { gap: 'skip', fold: 'first' } }, '/endAt never_fires'],
  [{ maxRuns: 0 }, '/maxRuns invalid_value'],
])('%j is refused', (spec, ...issues) => {
  expect(check(spec)).toEqual(issues);
});

test('the messages name what is wrong and say what was probably meant', () => {
  const first = (spec: Partial<WhenSpec>) =>
    validateWhen({ when: { cron: '0 3 * * *' }, timeZone: 'UTC', ...spec }, NOW)[0];
  expect(first({ when: { weekly: { weekday: 'mondy' as 'monday', hour: 1 } } })).toMatchObject({
    message: '"mondy" is not known here: did you mean "monday"?',
    suggestion: 'monday',
  });
  expect(first({ when: { solar: { event: 'x' as 'sunset', ...PLACE } } })?.message).toContain(
    'one of dawn_astronomical',
  );
  expect(first({ when: { solar: { event: 'sunset', latitude: 90, longitude: 0 } } })?.message).toBe(
    '"sunset at latitude 90" never fires: the sun never does that there',
  );
  expect(first({ when: { rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' } as Rule })?.message).toContain(
    'never fires: no calendar has such a day',
  );
});
