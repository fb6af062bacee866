import type { ScheduleSpec } from '@jetbeat/core';
import type { ScheduleRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecurrences, UnreadableScheduleError } from './recurrences.ts';

const CREATED = Date.parse('2026-01-01T00:00:00Z');
const spec: ScheduleSpec = {
  name: 's',
  when: { every: 1_000 },
  timeZone: 'UTC',
  overlap: 'skip',
  catchUp: 'latest',
  job: { task: 'system.echo', input: null },
};

function record(change: object = {}, at: Partial<ScheduleRecord> = {}): ScheduleRecord {
  return {
    id: 'id',
    name: 's',
    version: 1,
    runs: 0,
    createdAt: CREATED,
    updatedAt: CREATED,
    cursor: CREATED,
    definition: { ...spec, ...change },
    ...at,
  };
}

test('a recurrence is read once per version, and only so many are kept', () => {
  const recurrences = createRecurrences({ limit: 2 });
  const first = recurrences.of(record());
  expect(recurrences.of(record())).toBe(first);
  const edited = record({ when: { every: 5_000 } }, { version: 2 });
  const changed = recurrences.of(edited);
  expect(changed.next(CREATED)).toBe(CREATED + 5_000);
  expect(recurrences.of(edited, spec).next(CREATED)).toBe(CREATED + 1_000);
  recurrences.of(record({}, { id: 'a' }));
  recurrences.of(record({}, { id: 'b' }));
  expect(recurrences.of(edited)).not.toBe(changed);
});

test.each<[string, object, string]>([
  ['no task', { job: {} }, '/job/task'],
  ['no job', { job: null }, '/job/task'],
  ['no rule', { when: 'daily' }, '/when'],
  ['a rule of another kind', { when: { moon: 'full' } }, ''],
  ['a cron that is none', { when: { cron: 'x' } }, '/when/cron'],
  ['a cron that is a number', { when: { cron: 5 } }, '/when'],
  ['a zone that is none', { timeZone: 'Mars/Olympus' }, '/timeZone'],
  ['a duration as a person writes it', { catchUpWindow: '1h' }, '/catchUpWindow'],
  ['a rule of overlap that is none', { overlap: 'sometimes' }, '/overlap'],
  ['a catch-up that is none', { catchUp: 3 }, '/catchUp'],
  ['a spread that is none', { catchUp: { all: 3, spread: '1m' } }, '/catchUp/spread'],
  ['a queue that is a number', { job: { task: 'a', input: 1, queue: 5 } }, '/job/queue'],
  ['a meta that is a text', { job: { task: 'a', input: 1, meta: 'x' } }, '/job/meta'],
  [
    'a limit as a person writes it',
    { job: { task: 'a', input: 1, timeout: { hard: '1h' } } },
    '/job/timeout',
  ],
  ['an expiry as a person writes it', { job: { task: 'a', input: 1, expires: '1h' } }, '/job/expires'],
  ['a key that is none', { job: { task: 'a', input: 1, unique: 7 } }, '/job/unique'],
])('what was written in plain SQL with %s is not planned, and says why', (_what, change, place) => {
  const read = () => createRecurrences().of(record(change));
  expect(read).toThrow(UnreadableScheduleError);
  expect(read).toThrow(place);
});

test('what cannot be read is looked at again after a while', () => {
  let now = CREATED;
  const recurrences = createRecurrences({ clock: () => now });
  const wrong = record({ when: { cron: 'x' } });
  expect(() => recurrences.of(wrong)).toThrow();
  const right = record();
  expect(() => recurrences.of(right)).toThrow();
  now += 60_000;
  expect(recurrences.of(right).next(CREATED)).toBe(CREATED + 1_000);
});
