import { expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { beginRrule, MAX_RRULE_LENGTH, parseRrule } from './rrule-text.ts';

function begin(text: string, params: { timeZone?: string; startAt?: number } = {}) {
  const anchor = Date.parse('2026-05-04T22:30:45.500Z');
  const { zone, start, until } = beginRrule(parseRrule(text), {
    timeZone: 'Europe/Paris',
    anchor,
    ...params,
  });
  const shown = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
  return [zone, shown(start), shown(until)];
}

test('a rule begins at DTSTART, else at startAt, else at midnight of the day on which the schedule was made', () => {
  expect(begin('DTSTART:20260105T093000\nRRULE:FREQ=DAILY')).toEqual([
    'Europe/Paris',
    '2026-01-05T09:30:00.000Z',
    undefined,
  ]);
  expect(begin('DTSTART;TZID=America/New_York:20260105T093000\r\nRRULE:FREQ=DAILY\r\n')).toEqual([
    'America/New_York',
    '2026-01-05T09:30:00.000Z',
    undefined,
  ]);
  expect(begin('DTSTART;TZID="Asia/Kathmandu";VALUE=DATE:20260105\nRRULE:FREQ=DAILY')).toEqual([
    'Asia/Kathmandu',
    '2026-01-05T00:00:00.000Z',
    undefined,
  ]);
  expect(begin('DTSTART:20260105T093000Z\nRRULE:FREQ=DAILY')).toEqual([
    'UTC',
    '2026-01-05T09:30:00.000Z',
    undefined,
  ]);
  expect(begin('FREQ=DAILY', { startAt: Date.parse('2026-06-01T08:00:05.700Z') })).toEqual([
    'Europe/Paris',
    '2026-06-01T10:00:05.000Z',
    undefined,
  ]);
  expect(begin('RRULE:FREQ=DAILY')).toEqual(['Europe/Paris', '2026-05-05T00:00:00.000Z', undefined]);
});

test('UNTIL is the end of a day, a reading of the clock, or an instant', () => {
  expect(begin('FREQ=DAILY;UNTIL=20261231')[2]).toBe('2026-12-31T23:59:59.999Z');
  expect(begin('FREQ=DAILY;UNTIL=20261231T120000')[2]).toBe('2026-12-31T12:00:00.000Z');
  expect(begin('FREQ=DAILY;UNTIL=20261231T120000Z')[2]).toBe('2026-12-31T13:00:00.000Z');
});

test.each([
  ['', 'FREQ is missing'],
  [
    'FREQ=OFTEN',
    'FREQ "OFTEN" is not known: write one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY',
  ],
  ['INTERVAL=2', 'FREQ is missing: write one of'],
  ['FREQ=DAILY;INTERVALL=2', '"INTERVALL" is not a part of a rule: did you mean INTERVAL?'],
  ['FREQ=DAILY;X-MAGIC=2', '"X-MAGIC" is not a part of a rule: known are FREQ, INTERVAL'],
  ['FREQ=DAILY;INTERVAL', 'INTERVAL: write INTERVAL=value'],
  ['FREQ=DAILY;INTERVAL=1=2', 'INTERVAL: write INTERVAL=value'],
  ['FREQ=DAILY;INTERVAL=2;INTERVAL=3', 'INTERVAL is there twice'],
  ['FREQ=DAILY;INTERVAL=0', 'INTERVAL is a whole number from 1 to 3650'],
  ['FREQ=YEARLY;INTERVAL=11', 'INTERVAL is a whole number from 1 to 10'],
  ['FREQ=DAILY;COUNT=1001', 'COUNT is a whole number from 1 to 1000'],
  ['FREQ=DAILY;COUNT=x', 'COUNT is a whole number from 1 to 1000'],
  ['FREQ=DAILY;COUNT=2;UNTIL=20261231', 'COUNT and UNTIL exclude each other'],
  ['FREQ=DAILY;UNTIL=tomorrow', 'UNTIL "TOMORROW" is no time: write 20261225'],
  ['FREQ=DAILY;UNTIL=20260230', 'UNTIL "20260230" is no time of any calendar'],
  ['FREQ=DAILY;UNTIL=20260203T250000', 'UNTIL "20260203T250000" is no time of any calendar'],
  ['FREQ=DAILY;UNTIL=20260203T100060', 'is no time of any calendar'],
  ['FREQ=DAILY;BYHOUR=24', 'BYHOUR takes 0 to 23, joined by commas'],
  ['FREQ=DAILY;BYSECOND=60', 'BYSECOND takes 0 to 59, joined by commas'],
  ['FREQ=MONTHLY;BYMONTHDAY=0', 'BYMONTHDAY takes 1 to 31, or -31 to -1 from the end, joined by commas'],
  ['FREQ=MONTHLY;BYMONTHDAY=5,five', 'BYMONTHDAY takes 1 to 31'],
  ['FREQ=MONTHLY;BYDAY=XX', 'BYDAY takes SU, MO, TU, WE, TH, FR, SA'],
  ['FREQ=MONTHLY;BYDAY=0MO', 'BYDAY takes SU'],
  ['FREQ=MONTHLY;BYDAY=54MO', 'BYDAY takes SU'],
  ['FREQ=MONTHLY;BYDAY=MONDAY', 'BYDAY takes SU'],
  ['FREQ=WEEKLY;BYDAY=1MO', 'BYDAY: a number before a day goes with MONTHLY and YEARLY only'],
  ['FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO', 'BYDAY: a number before a day does not go with BYWEEKNO'],
  ['FREQ=WEEKLY;WKST=XX', 'WKST is one of SU, MO'],
  ['FREQ=DAILY;BYWEEKNO=1', 'BYWEEKNO goes with FREQ=YEARLY only'],
  ['FREQ=MONTHLY;BYYEARDAY=1', 'BYYEARDAY does not go with FREQ=MONTHLY'],
  ['FREQ=WEEKLY;BYMONTHDAY=1', 'BYMONTHDAY does not go with FREQ=WEEKLY'],
  ['FREQ=DAILY;BYSETPOS=1', 'BYSETPOS needs another BY… part beside it'],
  ['DTSTART:20260101', 'RRULE is missing'],
  ['RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY', 'RRULE is there twice: write a list of rules'],
  ['DTSTART:x\nRRULE:FREQ=DAILY', 'DTSTART "x" is no time'],
  ['DTSTART;TZID=Mars:20260101\nRRULE:FREQ=DAILY', 'DTSTART TZID "Mars" is no IANA time zone'],
  ['RRULE:FREQ=DAILY\nEXDATE:20260101', 'EXDATE: write the schedule\'s "exclude" instead'],
  ['RRULE:FREQ=DAILY\nRDATE:20260101', 'RDATE: write a list of rules with {"at": …} instead'],
  ['RRULE:FREQ=DAILY\nSUMMARY:x', '"SUMMARY" does not belong here'],
  ['RRULE:FREQ=DAILY\nhello', '"hello" does not belong here'],
  ['x'.repeat(MAX_RRULE_LENGTH + 1), `it is longer than ${MAX_RRULE_LENGTH} characters`],
])('%j: %s', (text, message) => {
  const refused = (() => {
    try {
      return parseRrule(text, '/when/rrule');
    } catch (error) {
      return error;
    }
  })() as InvalidInputError;
  expect(refused).toBeInstanceOf(InvalidInputError);
  expect(refused.issues).toMatchObject([{ pointer: '/when/rrule', code: 'invalid_rrule' }]);
  expect(refused.message).toContain(message);
});
