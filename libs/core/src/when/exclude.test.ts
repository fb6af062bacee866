import { expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { MAX_ICAL_LENGTH, MAX_REPEATING, parseIcal } from './ical.ts';
import { createRecurrence, type RecurrenceParams, timesBetween } from './recurrence.ts';

/** The times of the days that are asked for, as the clock of Paris (in winter, UTC+1) shows them. */
function times(params: Partial<RecurrenceParams>, from: string, to: string): string[] {
  const recurrence = createRecurrence({
    when: { cron: '0 9,12 * * *' },
    timeZone: 'Europe/Paris',
    anchor: 0,
    ...params,
  });
  return timesBetween(recurrence, Date.parse(`${from}T00:00:00Z`), Date.parse(`${to}T00:00:00Z`), 100).map(
    (time) => new Date(time + 3_600_000).toISOString().slice(5, 16),
  );
}

function calendar(...events: string[]): string {
  const written = events.map(
    (event) => `BEGIN:VEVENT\r\n${event.trim().replaceAll('\n', '\r\n')}\r\nEND:VEVENT`,
  );
  return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${written.join('\r\n')}\r\nEND:VCALENDAR\r\n`;
}

const excluding = (...events: string[]) => ({ exclude: [{ ical: calendar(...events) }] });

test('days are those of the clock of the zone', () => {
  expect(times({ exclude: [{ dates: ['2026-12-25', '2026-12-26'] }] }, '2026-12-24', '2026-12-28')).toEqual([
    ...['12-24T09:00', '12-24T12:00', '12-27T09:00', '12-27T12:00'],
  ]);
  const late = { when: { cron: '30 0 * * *' }, exclude: [{ dates: ['2026-12-25'] }] };
  // 00:30 in Paris is still the day before in UTC.
  expect(times(late, '2026-12-24', '2026-12-26')).toEqual(['12-26T00:30']);
});

test('another cron leaves out what it matches, five fields whole minutes', () => {
  expect(times({ exclude: [{ cron: '* 0-10 * * SAT,SUN' }] }, '2026-12-04', '2026-12-07')).toEqual([
    ...['12-04T09:00', '12-04T12:00', '12-05T12:00', '12-06T12:00'],
  ]);
  const seconds = {
    when: { every: 10_000 },
    exclude: [{ cron: '*/2 * * * *' }, { cron: '30-59 * * * * *' }],
  };
  const recurrence = createRecurrence({ timeZone: 'UTC', anchor: 0, ...seconds });
  expect(timesBetween(recurrence, -1, 240_000, 99).map((time) => time / 1_000)).toEqual([
    60, 70, 80, 180, 190, 200,
  ]);
  expect(times({ exclude: [{ cron: '* * * * *' }] }, '2026-12-04', '2026-12-07')).toEqual([]);
});

test('several leave out together', () => {
  const exclude = [{ dates: ['2026-12-05'] }, { cron: '0 9 * * *' }];
  expect(times({ exclude }, '2026-12-04', '2026-12-07')).toEqual(['12-04T12:00', '12-06T12:00']);
});

test('a schedule of every second gets past a long exclusion at one leap', () => {
  const exclude = [{ cron: '* * * * MON-FRI' }, { dates: ['2026-12-05'] }];
  const recurrence = createRecurrence({ when: { cron: '* * * * * *' }, exclude, timeZone: 'UTC', anchor: 0 });
  const next = recurrence.next(Date.parse('2026-11-30T00:00:00Z'));
  expect(new Date(next ?? 0).toISOString()).toBe('2026-12-06T00:00:00.000Z');
});

test('of an exclusion across a change of the clock, no minute too many and none too few', () => {
  const recurrence = createRecurrence({
    when: { cron: '*/30 * * * *' },
    timeZone: 'Europe/Paris',
    anchor: 0,
    exclude: [{ dates: ['2026-03-29', '2026-10-25'] }],
  });
  const after = (time: string) => new Date(recurrence.next(Date.parse(time)) ?? 0).toISOString();
  expect(after('2026-03-28T22:30:00Z')).toBe('2026-03-29T22:00:00.000Z');
  expect(after('2026-10-24T21:30:00Z')).toBe('2026-10-25T23:00:00.000Z');
});

test('a feed: whole days, times, and moments', () => {
  const whole = 'SUMMARY:Christmas\nDTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227';
  expect(times(excluding(whole), '2026-12-24', '2026-12-28')).toEqual([
    ...['12-24T09:00', '12-24T12:00', '12-27T09:00', '12-27T12:00'],
  ]);
  const day = 'DTSTART;VALUE=DATE:20261205';
  expect(times(excluding(day), '2026-12-05', '2026-12-06')).toEqual([]);
  const meeting =
    'DTSTART;TZID=America/New_York:20261205T020000\nDTEND;TZID=America/New_York:20261205T060000';
  expect(times(excluding(meeting), '2026-12-05', '2026-12-06')).toEqual(['12-05T12:00']);
  const long = 'DTSTART:20261205T083000\nDURATION:P0DT1H';
  expect(times(excluding(long), '2026-12-05', '2026-12-06')).toEqual(['12-05T12:00']);
  const utc = 'DTSTART:20261205T080000Z';
  expect(times(excluding(utc), '2026-12-05', '2026-12-06')).toEqual(['12-05T12:00']);
  const joined = [
    day,
    'DTSTART;VALUE=DATE:20261206',
    'DTSTART;VALUE=DATE:20261208',
    'DTSTART:20261205T200000\nDURATION:PT1H',
  ];
  expect(times(excluding(...joined), '2026-12-05', '2026-12-09')).toEqual(['12-07T09:00', '12-07T12:00']);
});

test('a feed: what repeats, further dates, exceptions, and instances that were moved or cancelled', () => {
  const weekly = 'UID:a\nDTSTART;VALUE=DATE:20261201\nRRULE:FREQ=WEEKLY;COUNT=4;BYDAY=TU';
  const days = (...events: string[]) =>
    times({ when: { cron: '0 9 * * TUE,WED' }, ...excluding(...events) }, '2026-12-01', '2026-12-24').map(
      (time) => time.slice(3, 5),
    );
  expect(days(weekly)).toEqual(['02', '09', '16', '23']);
  expect(days(`${weekly}\nEXDATE;VALUE=DATE:20261208\nRDATE;VALUE=DATE:20261209`)).toEqual([
    '02',
    '08',
    '16',
    '23',
  ]);
  const moved = 'UID:a\nRECURRENCE-ID;VALUE=DATE:20261208\nDTSTART;VALUE=DATE:20261202';
  expect(days(weekly, moved)).toEqual(['08', '09', '16', '23']);
  const cancelled = 'UID:a\nRECURRENCE-ID;VALUE=DATE:20261208\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20261208';
  expect(days(weekly, cancelled)).toEqual(['02', '08', '09', '16', '23']);
  const until = 'DTSTART:20261201T080000\nDURATION:PT2H\nRRULE:FREQ=DAILY;UNTIL=20261209';
  expect(days(until)).toEqual(['15', '16', '22', '23']);
  expect(days('DTSTART;VALUE=DATE:20201201\nRDATE;VALUE=PERIOD:20261201T000000/P1D')).toEqual([
    '02',
    '08',
    '09',
    '15',
    '16',
    '22',
    '23',
  ]);
});

test('a component that is no calendar may stand alone, and several in a row', () => {
  const event = 'BEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT';
  expect(parseIcal(event)).toHaveLength(1);
  expect(parseIcal(`${event}\n${event}`)).toHaveLength(2);
  expect(parseIcal(event)[0]).toMatchObject({ length: 86_400_000, start: { isDay: true } });
});

test.each([
  ['hello', 'the calendar cannot be read: it does not begin with BEGIN:VCALENDAR'],
  ['', 'it does not begin with BEGIN:VCALENDAR'],
  ['BEGIN:VCALENDAR\nhello', 'the calendar cannot be read: invalid line'],
  ['BEGIN:VCALENDAR', 'the calendar cannot be read: invalid ical body'],
  ['BEGIN:VCALENDAR\nEND:VCALENDAR', 'it has no event (BEGIN:VEVENT … END:VEVENT)'],
  [calendar('SUMMARY:x'), 'an event has no DTSTART in "x"'],
  [calendar('VERSION:1'), 'an event has no DTSTART'],
  [calendar('UID:u\nDTSTART:20261301'), 'DTSTART "20261301" is no time of any calendar in "u"'],
  [
    calendar('DTSTART;TZID=W. Europe Standard Time:20261225T090000'),
    'DTSTART TZID "W. Europe Standard Time" is no IANA time zone',
  ],
  [
    calendar('DTSTART:20261225\nRRULE:FREQ=DAILY;COUNT=5000'),
    'RRULE: COUNT is a whole number from 1 to 1000',
  ],
  [calendar('DTSTART:20261225\nDURATION:-P1D'), 'DURATION "-P1D"'],
  [calendar('DTSTART:20261225\nDURATION:soon'), 'DURATION "soon"'],
  [
    calendar(...Array.from({ length: MAX_REPEATING + 1 }, () => 'DTSTART:20261225\nRRULE:FREQ=DAILY')),
    `it has more than ${MAX_REPEATING} events that repeat`,
  ],
  [`BEGIN:${'x'.repeat(MAX_ICAL_LENGTH)}`, `it is longer than ${MAX_ICAL_LENGTH} characters`],
])('%j is refused', (ical, message) => {
  const refused = (() => {
    try {
      return createRecurrence({
        when: { every: 1_000 },
        exclude: [{ cron: '0 0 * * *' }, { ical }],
        timeZone: 'UTC',
        anchor: 0,
      });
    } catch (error) {
      return error;
    }
  })() as InvalidInputError;
  expect(refused).toBeInstanceOf(InvalidInputError);
  expect(refused.message).toContain(message);
  expect(refused.issues).toMatchObject([{ pointer: '/exclude/1/ical', code: 'invalid_ical' }]);
});
