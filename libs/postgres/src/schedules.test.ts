import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { type Database, inside } from './database.ts';
import { materializePass, nextWakeAt } from './materialize.ts';
import { lastOccurrences, listOccurrences } from './occurrences.ts';
import { openDatabase } from './open.ts';
import { resumeSchedule } from './resume-schedule.ts';
import { NOON, newId, sampleSpec } from './sample.ts';
import { createSchedule, deleteSchedule, getSchedule, listSchedules, pauseSchedule } from './schedules.ts';

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
  const finished = await make('a');
  expect('nextAt' in finished).toBe(false);
  expect((await listSchedules(db, { limit: 1 })).map(({ name }) => name)).toEqual(['a']);
  expect((await listSchedules(db, { limit: 9, after: 'a' })).map(({ name }) => name)).toEqual([
    'report/nightly',
  ]);
});

test('a paused schedule is not planned, and resumes from now on', async () => {
  await make('paused', { nextAt: NOON - 5_000 });
  const paused = await pauseSchedule(db, { name: 'paused', by: 'key-1', note: 'too loud', now: NOON });
  expect(paused?.paused).toEqual({ by: 'key-1', note: 'too loud', since: NOON });
  await pauseSchedule(db, { name: 'paused', by: 'key-2', now: NOON + 9 });
  expect((await getSchedule(db, 'paused'))?.paused?.by).toBe('key-1');
  const plan = () => expect.unreachable();
  expect(await materializePass(db, { now: NOON, limit: 10, plan })).toEqual({ schedules: 0, occurrences: 0 });
  expect(await nextWakeAt(db)).toBe(NOON + 60_000);

  const passed = { from: NOON - 5_000, to: NOON - 3_000, count: 3 };
  const resumed = await resumeSchedule(db, {
    name: 'paused',
    now: NOON + 1_000,
    plan: () => ({ nextAt: NOON + 8_000, passed }),
  });
  expect(resumed).toMatchObject({ cursor: NOON + 1_000, nextAt: NOON + 8_000, updatedAt: NOON + 1_000 });
  expect(resumed && 'paused' in resumed).toBe(false);
  expect(await resumeSchedule(db, { name: 'paused', now: NOON + 5_000, plan })).toEqual(resumed);
  expect(await listOccurrences(db, { scheduleId: resumed?.id ?? '', limit: 5 })).toMatchObject([
    {
      nominalTime: NOON - 5_000,
      to: NOON - 3_000,
      count: 3,
      state: 'skipped',
      reason: { code: 'paused', text: 'the schedule was paused by key-1: too loud' },
    },
  ]);
  expect(await nextWakeAt(db)).toBe(NOON + 8_000);
  expect(await pauseSchedule(db, { name: 'gone', by: 'k', now: NOON })).toBeUndefined();
  expect(await resumeSchedule(db, { name: 'gone', now: NOON, plan })).toBeUndefined();
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
  expect(await nextWakeAt(db)).toBe(NOON - 1);
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
