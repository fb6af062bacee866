import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { MAX_CRON_LENGTH, parseCron } from './cron.ts';
import { nextLocal } from './cron-times.ts';
import { parseIcal } from './ical.ts';
import { previewTimes } from './preview.ts';
import { createRecurrence } from './recurrence.ts';
import { type DstRules, type Exclusion, type Rule, SOLAR_EVENTS, WEEKDAYS } from './rule.ts';
import { validateWhen, type WhenSpec } from './validate-when.ts';

const NOW = Date.parse('2026-05-01T00:00:00Z');
/** What one call may cost, in milliseconds of its thread's CPU; three times that is let pass on a machine that is busy. */
const BOUND_MS = 5;
const MARGIN = 3;
/** A call that was dear is made again: what it costs is the least, since the first has compiled it. */
const ATTEMPTS = 5;

/** Does it, and proves that it takes no more than its bound. */
function bounded<Result>(what: unknown, run: () => Result): Result {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 1; ; attempt += 1) {
    const before = process.threadCpuUsage();
    const result = run();
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
    if (least <= BOUND_MS) return result;
    if (attempt < ATTEMPTS) continue;
    expect(least, `${JSON.stringify(what)} takes too long`).toBeLessThan(BOUND_MS * MARGIN);
    return result;
  }
}

/** What it says, or how it is refused: any other error is a crash. */
function refusal(run: () => unknown): InvalidInputError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return error as InvalidInputError;
  }
}

const cronLetters = fc.string({ unit: fc.constantFrom(...'0123456789*/,-?L#HWJANmon@ '), maxLength: 40 });
const cronItem = fc.oneof(
  fc.constantFrom(...'* ? L LW 15W */7 1-5 5-1 0 29 31 59 MON#5 FRIL FEB 1,2,3 */0 99'.split(' ')),
  fc.nat(70).map(String),
);
const cronFields = fc.array(cronItem, { minLength: 4, maxLength: 7 }).map((fields) => fields.join(' '));
const cron = fc.oneof(cronLetters, cronFields, fc.string({ maxLength: 2 * MAX_CRON_LENGTH }));

const numbers = fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 1, maxLength: 12 }).map(String);
const small = (most: number) =>
  fc.uniqueArray(fc.integer({ min: 0, max: most }), { minLength: 1 }).map(String);
const rrulePart = fc.oneof(
  fc.tuple(fc.constantFrom('INTERVAL', 'COUNT'), fc.oneof(fc.nat(1_200), fc.nat()).map(String)),
  fc.tuple(fc.constantFrom('BYSETPOS', 'BYMONTHDAY', 'BYYEARDAY', 'BYWEEKNO', 'BYMONTH'), numbers),
  fc.tuple(fc.constant('BYMONTHDAY'), small(31)),
  fc.tuple(fc.constantFrom('BYSECOND', 'BYMINUTE'), small(59)),
  fc.tuple(fc.constant('BYHOUR'), small(23)),
  fc.tuple(fc.constant('BYMONTH'), small(12)),
  fc.tuple(
    fc.constant('BYDAY'),
    fc.constantFrom('MO', 'SU,MO', '-1FR', '5MO', 'MO,TU,WE,TH,FR', 'XX', '53SU'),
  ),
  fc.tuple(fc.constantFrom('UNTIL'), fc.constantFrom('20261231', '20200101T000000Z', 'never')),
  fc.tuple(fc.constant('WKST'), fc.constantFrom('SU', 'MO', 'X')),
  fc.tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 })),
);
const frequency = fc.constantFrom('YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY');
const rrule = fc
  .tuple(
    fc.constantFrom(
      '',
      'RRULE:',
      'DTSTART:20240229T235959\nRRULE:',
      'DTSTART;TZID=Asia/Gaza:19700101\nRRULE:',
    ),
    frequency,
    fc.array(rrulePart, { maxLength: 4 }),
  )
  .map(([begin, freq, parts]) => `${begin}FREQ=${[freq, ...parts.map((part) => part.join('='))].join(';')}`);

const odd = fc.oneof(
  fc.integer({ min: -2, max: 70 }),
  fc.constantFrom(Number.NaN, 1.5, Number.POSITIVE_INFINITY),
);
const time = fc.oneof(fc.integer({ min: NOW - 1e11, max: NOW + 4e11 }), odd);
const rule: fc.Arbitrary<Rule> = fc.oneof(
  cron.map((text) => ({ cron: text })),
  rrule.map((text) => ({ rrule: text })),
  fc.record({ every: fc.oneof(fc.integer({ min: 1_000, max: 1e9 }), odd), from: time }),
  time.map((at) => ({ at })),
  fc.record({
    solar: fc.record({
      event: fc.constantFrom(...SOLAR_EVENTS),
      latitude: fc.double({ min: -91, max: 91 }),
      longitude: fc.double({ min: -181, max: 181 }),
    }),
  }),
  fc.record({ hourly: fc.record({ minute: odd }) }),
  fc.record({ daily: fc.record({ hour: odd, minute: odd }) }),
  fc.record({ weekly: fc.record({ weekday: fc.subarray([...WEEKDAYS]), hour: odd, minute: odd }) }),
  fc.record({
    monthly: fc.record({ day: fc.oneof(odd, fc.constant('last' as const)), hour: odd, minute: odd }),
  }),
);
const icalWords =
  'BEGIN:VCALENDAR END:VCALENDAR BEGIN:VEVENT END:VEVENT STATUS:CANCELLED UID:a RDATE:x DTSTART:20260501';
const icalTimes = 'DTSTART;TZID=Mars:20260501T000000 DTEND:20260601T000000Z DURATION:P1DT1H EXDATE:20260502';
const icalLine = fc.oneof(
  fc.constantFrom(...icalWords.split(' '), ...icalTimes.split(' '), ' folded'),
  rrule.map((text) => `RRULE:${text}`),
  fc.string({ maxLength: 30 }),
);
const ical = fc
  .array(icalLine, { maxLength: 30 })
  .map(
    (lines) =>
      `BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260501\n${lines.join('\n')}\nEND:VEVENT\nEND:VCALENDAR`,
  );
const exclusion: fc.Arbitrary<Exclusion> = fc.oneof(
  cron.map((text) => ({ cron: text })),
  fc.record({
    dates: fc.array(fc.oneof(fc.constant('2026-05-02'), fc.string({ maxLength: 12 })), { maxLength: 5 }),
  }),
  ical.map((text) => ({ ical: text })),
);
const zone = fc.constantFrom('UTC', 'Europe/Paris', 'Africa/Casablanca', 'Asia/Gaza', 'Australia/Lord_Howe');
const spec: fc.Arbitrary<WhenSpec> = fc.record(
  {
    when: fc.oneof(rule, fc.array(rule, { maxLength: 4 })),
    // A zone that is none hides all that is asked only of what is sound, and is compared with every name there is.
    timeZone: fc.oneof({ weight: 9, arbitrary: zone }, fc.constant('Mars/Base'), fc.string()),
    exclude: fc.array(exclusion, { maxLength: 3 }),
    dst: fc.constantFrom<DstRules>({ gap: 'skip', fold: 'both' }, { gap: 'shift', fold: 'first' }),
    startAt: time,
    endAt: time,
    maxRuns: odd,
    jitter: odd,
  },
  { requiredKeys: ['when', 'timeZone'] },
);

/** Schedules of which most are sound. */
const hour = fc.integer({ min: 0, max: 23 });
const tameRule: fc.Arbitrary<Rule> = fc.oneof(
  fc
    .constantFrom('*/7 2 * * *', '@hourly', '0 0 31 * *', '0 2 * * FRI#2', '*/20 * * * * *')
    .map((text) => ({ cron: text })),
  frequency.map((freq) => ({ rrule: `FREQ=${freq};INTERVAL=3` })),
  fc.integer({ min: 1_000, max: 1e9 }).map((every) => ({ every })),
  hour.map((at) => ({ daily: { hour: at, minute: 30 } })),
  hour.map((latitude) => ({
    solar: { event: 'sunset' as const, latitude, longitude: (-10 * latitude) / 2 },
  })),
);
const tame: fc.Arbitrary<WhenSpec> = fc.record(
  {
    when: fc.array(tameRule, { minLength: 1, maxLength: 3 }),
    timeZone: zone,
    exclude: fc.array(
      fc.constantFrom<Exclusion>(
        { cron: '* 1-5 * * *' },
        { dates: ['2026-05-02'] },
        { cron: '*/2 * * * * *' },
      ),
      { maxLength: 2 },
    ),
    dst: fc.constantFrom<DstRules>({ gap: 'skip', fold: 'both' }, { gap: 'shift', fold: 'first' }),
    startAt: fc.integer({ min: NOW, max: NOW + 1e10 }),
    maxRuns: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ['when', 'timeZone'] },
);

const FIELDS = /^\/(when|timeZone|exclude|dst|startAt|endAt|maxRuns|jitter)(\/|$)/;
const CRON_FIELDS =
  /second|minute|hour|day of month|month|day of week|field|longer|names it knows|did you mean|reboot|not supported/;

test('any text is a cron or is refused with the field named, in bounded time', () => {
  fc.assert(
    fc.property(cron, fc.integer({ min: 0, max: 4e12 }), (text, local) => {
      const error = bounded(text, () => refusal(() => nextLocal(parseCron(text), local)));
      if (error) expect(error.message).toMatch(CRON_FIELDS);
    }),
    { numRuns: 2_000 },
  );
});

test('any rrule and any calendar is read or refused with its part named, in bounded time', () => {
  fc.assert(
    fc.property(rrule, fc.integer({ min: 0, max: 4e12 }), (text, after) => {
      const when = { rrule: text };
      const error = bounded(text, () =>
        refusal(() => createRecurrence({ when, timeZone: 'Europe/Paris', anchor: NOW }).next(after)),
      );
      if (error) expect(error.message).toMatch(/FREQ|INTERVAL|COUNT|UNTIL|BY|WKST|DTSTART|RRULE|part|belong/);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(ical, (text) => {
      expect(bounded(text, () => refusal(() => parseIcal(text)))?.message ?? 'the calendar').toContain(
        'the calendar',
      );
    }),
    { numRuns: 500 },
  );
});

test('any schedule is sound or is refused with its field named; what is sound can be previewed; in bounded time', () => {
  let sound = 0;
  fc.assert(
    fc.property(fc.oneof(spec, tame), (given) => {
      const issues = bounded(given, () => validateWhen(given, NOW));
      for (const { pointer, message } of issues) {
        expect(pointer).toMatch(FIELDS);
        expect(message.length).toBeLessThan(1_000);
      }
      if (issues.length > 0) return;
      sound += 1;
      const recurrence = createRecurrence({ ...given, anchor: NOW });
      const next = bounded(given, () => recurrence.next(NOW));
      expect(next).toBeGreaterThan(NOW);
      const { items } = previewTimes({ ...given, anchor: NOW, from: NOW, count: 5 });
      expect(items[0]?.nominalTime).toBe(next);
      for (const [index, item] of items.entries())
        if (index > 0) expect(item.nominalTime).toBeGreaterThan(items[index - 1]?.nominalTime ?? 0);
    }),
    { numRuns: 600 },
  );
  expect(sound).toBeGreaterThan(100);
});
