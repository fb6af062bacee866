import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { NOON, newId, sampleSpec } from '../database/sample.ts';
import { listSchedules } from './list-schedules.ts';
import { look, wakeAt } from './look.ts';
import { materializePass } from './materialize.ts';
import { lastOccurrences, listOccurrences } from './occurrences.ts';
import { createSchedule, deleteSchedule, getSchedule, pauseSchedule, resumeSchedule } from './schedules.ts';

let made: TestDatabase;
let db: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'schedules-test' });
});
afterAll(async () => {
  await db?.close();
  await made?.drop();
});

function make(name: string, fields: { nextAt?: number; id?: string } = {}) {
  return createSchedule(db, {
    id: newId(),
    name,
    definition: sampleSpec(name),
    cursor: NOON,
    now: NOON + 1,
    ...fields,
  });
}

test('a schedule is kept as it was made, under a name that nobody else has', async () => {
  const schedule = await make('report/nightly', { nextAt: NOON + 60_000 });
  const expected = {
    name: 'report/nightly',
    definition: sampleSpec('report/nightly'),
    cursor: NOON,
    nextAt: NOON + 60_000,
  };
  expect(schedule).toMatchObject({ ...expected, createdAt: NOON + 1, updatedAt: NOON + 1 });
  expect(await getSchedule(db, 'report/nightly')).toEqual(schedule);
  await expect(make('report/nightly')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('nightly'),
  });
  expect(await getSchedule(db, 'report')).toBeUndefined();
  await make('a');
  expect((await listSchedules(db, { limit: 1 })).schedules.map(({ name }) => name)).toEqual(['a']);
  expect((await listSchedules(db, { limit: 9, after: 'a' })).schedules.map(({ name }) => name)).toEqual([
    'report/nightly',
  ]);
});

test('what falls into a pause is one row that says who paused and why, and is not caught up', async () => {
  // One of its times has passed before the pause, and nobody has planned it yet.
  const minute = 60_000;
  const every = { ...sampleSpec('paused'), when: { every: minute, from: NOON }, catchUp: { all: 9 } };
  const { id } = await createSchedule(db, { id: newId(), name: 'paused', definition: every, now: NOON + 1 });
  const paused = await pauseSchedule(db, {
    name: 'paused',
    by: 'key-1',
    note: 'too loud',
    now: NOON + 1.5 * minute,
  });
  expect(paused?.paused).toEqual({ by: 'key-1', note: 'too loud', since: NOON + 1.5 * minute });
  await pauseSchedule(db, { name: 'paused', by: 'key-2', now: NOON + 2 * minute });
  expect((await getSchedule(db, 'paused'))?.paused?.by).toBe('key-1');
  const now = NOON + 4.5 * minute;
  const resumed = await resumeSchedule(db, { name: 'paused', now });
  expect(resumed).toMatchObject({ cursor: now, nextAt: NOON + 5 * minute, updatedAt: now });
  expect(resumed && 'paused' in resumed).toBe(false);
  expect(await resumeSchedule(db, { name: 'paused', now })).toEqual(resumed);
  expect(await listOccurrences(db, { scheduleId: id, limit: 5 })).toEqual([
    {
      nominalTime: NOON + 2 * minute,
      to: NOON + 4 * minute,
      count: 3,
      state: 'skipped',
      origin: 'plan',
      reason: { code: 'paused', text: 'paused by key-1: too loud' },
    },
    expect.objectContaining({ nominalTime: NOON + minute, state: 'due' }),
  ]);
  expect(await pauseSchedule(db, { name: 'gone', by: 'k', now: NOON })).toBeUndefined();
  expect(await resumeSchedule(db, { name: 'gone', now: NOON })).toBeUndefined();
  await deleteSchedule(db, 'paused');
});

test('what a check says of the locked schedule comes before any change', async () => {
  const schedule = await make('checked', {});
  const seen: unknown[] = [];
  const check = (locked: unknown) => {
    seen.push(locked);
    throw new Error('not yours');
  };
  const asked = { name: 'checked', by: 'k', now: NOON, check };
  await expect(pauseSchedule(db, asked)).rejects.toThrow('not yours');
  await expect(resumeSchedule(db, asked)).rejects.toThrow('not yours');
  await expect(deleteSchedule(db, 'checked', { check })).rejects.toThrow('not yours');
  expect(seen).toEqual([schedule, schedule, schedule]);
  expect(await getSchedule(db, 'checked')).toEqual(schedule);
  expect(await deleteSchedule(db, 'checked', { version: 9, check })).toBe(false);
  expect(await deleteSchedule(db, 'checked')).toBe(true);
});

test('deleting a schedule takes its due occurrences along and leaves what has been', async () => {
  const { id } = await make('short', { nextAt: NOON - 1 });
  await materializePass(db, {
    now: NOON - 1,
    limit: 10,
    plan: (schedules) => ({
      occurrences: [
        {
          scheduleId: id,
          nominalTime: NOON - 9,
          origin: 'plan',
          state: 'missed',
          count: 3,
          to: NOON - 2,
          reason: { code: 'a', text: 'b' },
        },
        { scheduleId: id, nominalTime: NOON - 1, origin: 'plan', state: 'due' },
      ],
      schedules: schedules.map((schedule) => ({ id: schedule.id, cursor: NOON - 1 })),
    }),
  });
  const missed = {
    nominalTime: NOON - 9,
    origin: 'plan',
    state: 'missed',
    count: 3,
    to: NOON - 2,
    reason: { code: 'a', text: 'b' },
  };
  const due = { nominalTime: NOON - 1, origin: 'plan', state: 'due', count: 1 };
  expect(wakeAt(await look(db))).toBe(NOON - 1);
  expect(await listOccurrences(db, { scheduleId: id, limit: 9 })).toEqual([due, missed]);
  expect(await listOccurrences(db, { scheduleId: id, limit: 9, after: due })).toEqual([missed]);
  expect(await lastOccurrences(db, [id, newId()])).toEqual(new Map([[id, due]]));
  expect(await deleteSchedule(db, 'short')).toBe(true);
  expect(await deleteSchedule(db, 'short')).toBe(false);
  expect(await listOccurrences(db, { scheduleId: id, limit: 9 })).toEqual([missed]);
});

test('a schedule whose input holds what jsonb cannot is kept all the same', async () => {
  const spec = { ...sampleSpec('odd'), job: { task: 'a', input: { text: 'x\u0000y' } } };
  const schedule = await createSchedule(db, {
    id: newId(),
    name: 'odd',
    definition: spec,
    cursor: NOON,
    now: NOON,
  });
  expect(schedule.definition.job.input).toEqual({ text: 'x\ufffdy' });
  expect(await inside(db).row('select definition from schedule where name = $1', ['odd'])).toMatchObject({
    definition: { name: 'odd' },
  });
});
