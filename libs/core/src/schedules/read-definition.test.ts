import fc from 'fast-check';
import { expect, test } from 'vitest';
import { oddField } from '../odd-field.ts';
import { createRecurrence } from '../when/recurrence.ts';
import { planSchedule } from './plan.ts';
import { definitionProblem, storedDefinition } from './read-definition.ts';

const NOW = Date.parse('2026-05-01T00:00:00Z');
const MINUTE = 60_000;
/** The least that plain SQL has to write. */
const least = { when: { every: MINUTE }, job: { task: 'system.echo' } };

/** Why a definition cannot be planned that was written in plain SQL, with this in it. */
function problem(change: object): string | undefined {
  return definitionProblem(storedDefinition({ ...least, ...change }, 'nightly'), NOW);
}

test('what plain SQL leaves out holds as the interface promises, and what it says wins', () => {
  expect(storedDefinition(least, 'nightly')).toEqual({
    ...least,
    name: 'nightly',
    timeZone: 'UTC',
    overlap: 'skip',
    catchUp: 'latest',
  });
  const said = { ...least, timeZone: 'Asia/Gaza', overlap: 'allow', catchUp: { all: 3 } };
  expect(storedDefinition(said, 'nightly')).toMatchObject(said);
});

test('a schedule goes by the name of its row, not by one that was left in its definition', () => {
  expect(storedDefinition({ ...least, name: 'other' }, 'nightly').name).toBe('nightly');
});

test.each([[null], ['daily'], [7], [[least]]])('a definition that is %j makes jobs of no task', (stored) => {
  const definition = storedDefinition(stored, 'nightly');
  expect(definition).toEqual({ name: 'nightly', timeZone: 'UTC', overlap: 'skip', catchUp: 'latest' });
  expect(definitionProblem(definition, NOW)).toMatch(/^\/job\/task: /);
});

const unique = { key: 'k', scope: 'task', mode: 'unfinished', onConflict: 'existing' };
test.each<[string, object]>([
  ['the least', {}],
  ['several rules', { when: [{ cron: '0 3 * * *' }, { daily: { hour: 5 } }] }],
  [
    'all that a job may have',
    { job: { task: 'a', input: [1], queue: 'mail', priority: 'low', meta: { a: 'b' } } },
  ],
  ['a key and an expiry', { job: { task: 'a', unique, expires: MINUTE, timeout: { hard: MINUTE } } }],
  ['numbers', { jitter: 1, startAt: NOW, endAt: NOW + MINUTE, maxRuns: 1, pauseAfterFailures: 1 }],
  ['no catch-up', { catchUp: 'none', catchUpWindow: 0 }],
  ['catch-up of some', { catchUp: { all: 3, spread: MINUTE } }],
])('a schedule with %s is sound', (_what, change) => {
  expect(problem(change)).toBeUndefined();
});

test('a sound schedule stays so when its times are over', () => {
  const once = { when: { at: NOW - MINUTE } };
  expect(problem(once)).toBeUndefined();
  expect(problem({ endAt: NOW - MINUTE })).toBeUndefined();
  // What is wrong besides is still said.
  expect(problem({ ...once, overlap: 'sometimes' })).toMatch(/^\/overlap: /);
});

test.each<[string, object, string]>([
  ['a job that is none', { job: null }, '/job/task: a schedule makes jobs of a task'],
  ['a job without a task', { job: {} }, '/job/task: a schedule makes jobs of a task'],
  [
    'a task that is no name',
    { job: { task: 'a b' } },
    '/job/task: cannot be read; write the name of a task, such as "mail.send"',
  ],
  ['no rule', { when: undefined }, '/when: a schedule needs a rule, such as {"cron": "0 3 * * *"}'],
  ['a rule in words', { when: 'daily' }, '/when: a schedule needs a rule, such as {"cron": "0 3 * * *"}'],
  ['no rule in a list', { when: [] }, '/when: write one rule, or 1 to 32 of them'],
  [
    'a rule that is a number',
    { when: [{ cron: '0 3 * * *' }, 5] },
    '/when/1: cannot be read; write a rule, or a list of them, such as {"cron": "0 3 * * *"} or {"every": 60000}',
  ],
  ['a rule that is a list', { when: { cron: [1] } }, '/when: cannot be read; write a rule'],
  [
    'exclusions that are none',
    { exclude: [{ dates: ['2026-12-25'] }, null] },
    '/exclude/1: cannot be read; write a list',
  ],
  ['exclusions that are no list', { exclude: 5 }, '/exclude: cannot be read; write a list, such as '],
  ['a zone that is a number', { timeZone: 5 }, '/timeZone: cannot be read; write an IANA name, such as '],
  [
    'callbacks in words',
    { job: { task: 'a', onFailure: 'mail' } },
    '/job/onFailure: cannot be read; write a list',
  ],
  ['a cron that is none', { when: { cron: 'x' } }, '/when/cron: '],
  ['a catch-up that is a number', { catchUp: 3 }, '/catchUp: one of "latest", "none", {"all": n}'],
  ['a catch-up in words', { catchUp: 'all' }, '/catchUp: one of "latest", "none", {"all": n}'],
  [
    'a window in words',
    { catchUpWindow: '1h' },
    '/catchUpWindow: a number, durations and times in milliseconds',
  ],
  [
    'a beginning in words',
    { startAt: '2026-01-01' },
    '/startAt: a number, durations and times in milliseconds',
  ],
  ['a limit that is null', { maxRuns: null }, '/maxRuns: a number, durations and times in milliseconds'],
  ['a zone that is none', { timeZone: 'Mars/Base' }, '/timeZone: "Mars/Base" is not a known time zone'],
  [
    'a limit of time in words',
    { job: { task: 'a', timeout: { hard: '1h' } } },
    '/job/timeout: cannot be read; write such as {"hard": 60000}, in milliseconds',
  ],
  [
    'tries without an end',
    { job: { task: 'a', retry: { attempts: 1e12 } } },
    '/job/retry/attempts: a whole number from 1 to 1000',
  ],
  [
    'a limit of time that no column holds',
    { job: { task: 'a', timeout: { hard: 9e15 } } },
    '/job/timeout/hard: at most ten years',
  ],
  [
    'a key that is none',
    { job: { task: 'a', unique: { key: 'k' } } },
    '/job/unique: cannot be read; write such as ',
  ],
])('%s is a problem that says what to correct', (_what, change, text) => {
  expect(problem(change)?.slice(0, text.length)).toBe(text);
});

test('what can be read field by field and not as a whole is told too, and so is a field that nobody knows', () => {
  const definition = { odd: 1, job: { task: 'a' } };
  const anyhow = 'write it as the API stores it';
  expect(oddField(definition, () => {})).toBe(`it cannot be read: ${anyhow}`);
  const read = (one: object) => {
    if ('odd' in one) throw new TypeError('no');
  };
  expect(oddField(definition, read)).toBe(`/odd: cannot be read; ${anyhow}`);
});

test('several problems are said at once', () => {
  expect(problem({ timeZone: 'Mars/Base', overlap: 'sometimes' })).toMatch(/^\/timeZone: .*; \/overlap: /);
});

test('whatever stands in a definition, it is a problem or it can be planned', () => {
  const json = fc.jsonValue({ maxDepth: 2 });
  const number = fc.oneof(fc.integer({ min: -5, max: 5_000 }), json);
  const rule = fc.oneof(
    fc.record({ cron: fc.oneof(fc.constant('*/5 * * * *'), json) }),
    fc.record({ every: number, from: json }, { requiredKeys: ['every'] }),
    fc.record({ at: number }),
    fc.record({ rrule: fc.oneof(fc.constant('FREQ=DAILY'), json) }),
    fc.record({ daily: fc.oneof(fc.record({ hour: number }), json) }),
    json,
  );
  const stored = fc.record(
    {
      when: fc.oneof(rule, fc.array(rule, { maxLength: 2 })),
      job: fc.oneof({ weight: 9, arbitrary: fc.constant(least.job) }, json),
      timeZone: json,
      overlap: json,
      exclude: json,
      dst: json,
      jitter: number,
      maxRuns: number,
      catchUp: fc.oneof(fc.record({ all: number, spread: number }, { requiredKeys: ['all'] }), json),
      startAt: number,
      endAt: number,
      catchUpWindow: number,
    },
    { requiredKeys: ['when', 'job'] },
  );
  const hour = 60 * MINUTE;
  let sound = 0;
  const property = fc.property(
    fc.oneof(
      stored,
      rule.map((when) => ({ ...least, when })),
    ),
    (given) => {
      const definition = storedDefinition(given, 'nightly');
      if (definitionProblem(definition, NOW) !== undefined) return;
      sound += 1;
      const planned = planSchedule({
        schedule: { id: 'id', definition, cursor: NOW, runs: 0 },
        recurrenceOf: (one) => createRecurrence({ ...one, anchor: NOW }),
        now: NOW + hour,
        awayAt: () => undefined,
      });
      expect(planned.cursor).toBe(NOW + hour);
    },
  );
  fc.assert(property, { numRuns: 500 });
  expect(sound).toBeGreaterThan(20);
});
