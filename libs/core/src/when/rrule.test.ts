import { Temporal } from 'temporal-polyfill';
import { expect, test } from 'vitest';
import { createRrule } from './rrule.ts';
import { beginRrule, parseRrule } from './rrule-text.ts';

// The library takes `Temporal` from the runtime, which does not have it yet.
(globalThis as { Temporal?: unknown }).Temporal ??= Temporal;
const { RRuleTemporal } = await import('rrule-temporal');

/** The first readings of a rule, at most `count` of them. */
function readings(text: string, count: number): string[] {
  const rule = createRrule(beginRrule(parseRrule(text), { timeZone: 'UTC', anchor: 0 }));
  const found: string[] = [];
  let local = rule.next(0);
  for (; local !== undefined && found.length < count; local = rule.next(local))
    found.push(new Date(local).toISOString().slice(0, 19));
  return found;
}

/** The same, by a library that goes through them one by one from the beginning. */
function byLibrary(text: string, count: number): string[] {
  const rule = new RRuleTemporal({ rruleString: text, maxIterations: 100_000 });
  const all = rule.all((_date: unknown, index: number) => index < count);
  return all.slice(0, count).map((time) => time.toInstant().toString().slice(0, 19));
}

/** Of every frequency and part; many are examples of RFC 5545 §3.8.5.3. */
const RULES = [
  ...['FREQ=DAILY;INTERVAL=2', 'FREQ=DAILY;BYMONTH=1', 'FREQ=DAILY;COUNT=5', 'FREQ=WEEKLY', 'FREQ=MONTHLY'],
  ...[
    'FREQ=YEARLY',
    'FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH',
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO',
  ],
  ...['FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU', 'FREQ=MONTHLY;BYDAY=1FR', 'FREQ=MONTHLY;BYDAY=-2MO'],
  ...['FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU', 'FREQ=MONTHLY;BYMONTHDAY=-3', 'FREQ=MONTHLY;BYMONTHDAY=1,-1'],
  ...[
    'FREQ=MONTHLY;BYMONTHDAY=31',
    'FREQ=MONTHLY;INTERVAL=18;BYMONTHDAY=10,11,12',
    'FREQ=MONTHLY;BYMONTHDAY=15,30',
  ],
  ...[
    'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13',
    'FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3',
    'FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=1,3,-1',
    'FREQ=YEARLY;BYMONTH=6,7',
  ],
  ...['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2', 'FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200'],
  ...[
    'FREQ=YEARLY;BYDAY=20MO',
    'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO',
    'FREQ=YEARLY;BYWEEKNO=1,53,-1;BYDAY=MO,SU',
  ],
  ...[
    'FREQ=YEARLY;BYMONTH=3;BYDAY=TH',
    'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3,10',
    'FREQ=YEARLY;BYYEARDAY=-1,366',
  ],
  ...['FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8', 'FREQ=HOURLY;INTERVAL=3'],
  ...[
    'FREQ=HOURLY;INTERVAL=5;BYMONTH=2;BYDAY=MO',
    'FREQ=HOURLY;BYMINUTE=5,50;BYSETPOS=-1',
    'FREQ=MINUTELY;INTERVAL=90',
  ],
  ...[
    'FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10',
    'FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20,40',
    'FREQ=DAILY;BYSETPOS=2;BYHOUR=1,5,9',
  ],
  ...['FREQ=SECONDLY;INTERVAL=7;BYMINUTE=3', 'FREQ=YEARLY;BYWEEKNO=20', 'FREQ=DAILY;UNTIL=20260301T000000Z'],
];

test.each(RULES)('%s is read as a library reads it', (rule) => {
  for (const start of ['20260115T093000', '20240229T000000', '20251231T235959']) {
    const text = `DTSTART:${start}Z\nRRULE:${rule}`;
    expect(readings(text, 24), text).toEqual(byLibrary(text, 24));
  }
});

test('where it is asked from makes no difference, nor how long ago it began', () => {
  const next = (text: string, after: string) => {
    const rule = createRrule(beginRrule(parseRrule(text), { timeZone: 'UTC', anchor: 0 }));
    const local = rule.next(Date.parse(`${after}Z`));
    return local === undefined ? undefined : new Date(local).toISOString().slice(0, 19);
  };
  const minutely = 'DTSTART:19970902T090000\nRRULE:FREQ=MINUTELY;INTERVAL=45';
  expect(next(minutely, '2026-05-04T10:00:00')).toBe('2026-05-04T10:30:00');
  expect(next('DTSTART:19970902T090000\nRRULE:FREQ=DAILY;COUNT=3', '1997-09-03T09:00:00')).toBe(
    '1997-09-04T09:00:00',
  );
  expect(next('DTSTART:19970902T090000\nRRULE:FREQ=DAILY;COUNT=3', '1997-09-04T09:00:00')).toBeUndefined();
  expect(next('DTSTART:20280229T090000\nRRULE:FREQ=YEARLY', '2028-03-01T00:00:00')).toBe(
    '2032-02-29T09:00:00',
  );
});

test('what never comes is found to be so, in bounded time', () => {
  for (const rule of [
    ...['FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'],
    ...[
      'FREQ=SECONDLY;INTERVAL=2;BYSECOND=1',
      'FREQ=MINUTELY;BYSECOND=1;BYSETPOS=2',
      'FREQ=YEARLY;BYSETPOS=366;BYDAY=1MO',
    ],
    ...['FREQ=DAILY;COUNT=3;BYMONTH=2;BYMONTHDAY=30', 'FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6'],
  ]) {
    expect(readings(`DTSTART:20260101T000000\nRRULE:${rule}`, 1), rule).toEqual([]);
  }
});

test('a COUNT that takes too long to count is refused', () => {
  expect(() => readings('DTSTART:20260101T000000\nRRULE:FREQ=YEARLY;COUNT=1000', 1)).toThrow(
    'COUNT=1000: to count so far takes too long with this rule; write UNTIL instead',
  );
  expect(readings('DTSTART:20260101T000000\nRRULE:FREQ=DAILY;COUNT=1000', 2_000)).toHaveLength(1_000);
});

test.each([
  ['FREQ=HOURLY', true],
  ['FREQ=HOURLY;INTERVAL=2', false],
  ['FREQ=HOURLY;BYHOUR=1,2', false],
  ['FREQ=MINUTELY;INTERVAL=60', true],
  ['FREQ=MINUTELY;INTERVAL=61', false],
  ['FREQ=MINUTELY;BYMINUTE=0', true],
  ['FREQ=MINUTELY;INTERVAL=7;BYMINUTE=0', false],
  ['FREQ=SECONDLY', true],
  ['FREQ=SECONDLY;INTERVAL=3600', true],
  ['FREQ=SECONDLY;INTERVAL=3601', false],
  ['FREQ=SECONDLY;INTERVAL=7;BYMINUTE=0', false],
  ['FREQ=SECONDLY;INTERVAL=7;BYSECOND=0', false],
  ['FREQ=DAILY', false],
  [`FREQ=DAILY;BYHOUR=${Array.from({ length: 24 }, (_, hour) => hour)}`, true],
  [`FREQ=DAILY;BYSETPOS=1;BYHOUR=${Array.from({ length: 24 }, (_, hour) => hour)}`, false],
])('%s runs at least hourly: %s', (rule, hourly) => {
  expect(createRrule(beginRrule(parseRrule(rule), { timeZone: 'UTC', anchor: 0 })).hourly).toBe(hourly);
});
