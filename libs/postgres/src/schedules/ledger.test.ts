import { awayAt, createRecurrence, planSchedule, type SchedulerGap, type ScheduleSpec } from '@jetbeat/core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleSpec } from '../database/sample.ts';
import { noteBeat, noteHeld } from '../fleet/beats.ts';
import { databaseTime } from '../migrating/migrate.ts';
import { materializePass } from './materialize.ts';
import { listOccurrences } from './occurrences.ts';
import { planRows } from './plan-rows.ts';
import { retainOccurrences } from './retain-occurrences.ts';
import { PLANNED_SELECT, type ScheduleRow, scheduleRecord } from './schedule-record.ts';
import { createSchedule, deleteSchedule, getSchedule, pauseSchedule } from './schedules.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('ledger-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job, scheduler_beat, scheduler_gap');
});

const MINUTE = 60_000;

/** A pass of a scheduler, as far as planning goes. */
async function pass(now: number, gaps: readonly SchedulerGap[] = []) {
  return materializePass(db, {
    now,
    limit: 100,
    plan: (schedules) => {
      const plans = schedules.map((schedule) => {
        const anchor = schedule.createdAt;
        const recurrenceOf = (definition: ScheduleSpec) => createRecurrence({ ...definition, anchor });
        const plan = planSchedule({ schedule, recurrenceOf, now, awayAt: (time) => awayAt(gaps, time) });
        return planRows(schedule.id, plan);
      });
      return {
        occurrences: plans.flatMap(({ occurrences }) => occurrences),
        schedules: plans.map(({ schedule }) => schedule),
      };
    },
  });
}

async function make(change: Partial<ScheduleSpec> = {}, name = 'one'): Promise<string> {
  const definition = { ...sampleSpec(name), ...change };
  return (await createSchedule(db, { id: newId(), name, definition, now: NOON })).id;
}

/** What became of a schedule's times, oldest first, in minutes. */
async function rowsOf(scheduleId: string) {
  const rows = (await listOccurrences(db, { scheduleId, limit: 100 })).toReversed();
  return rows.map(({ nominalTime, to = nominalTime, count, state, reason }) => [
    ...[(nominalTime - NOON) / MINUTE, (to - NOON) / MINUTE, count, state],
    ...(reason ? [reason.text] : []),
  ]);
}

test('a paused schedule has one row that grows with each pass, and another one for another reason', async () => {
  const id = await make();
  await pauseSchedule(db, { name: 'one', by: 'ann', note: 'maintenance', now: NOON });
  for (let minute = 1; minute <= 5; minute++) {
    await pass(NOON + minute * MINUTE);
    expect(await rowsOf(id)).toEqual([[1, minute, minute, 'skipped', 'paused by ann: maintenance']]);
  }
  await inside(db).run(`update schedule set pause_note = 'still'`);
  await pass(NOON + 6 * MINUTE);
  await pass(NOON + 7 * MINUTE);
  expect(await rowsOf(id)).toEqual([
    [1, 5, 5, 'skipped', 'paused by ann: maintenance'],
    [6, 7, 2, 'skipped', 'paused by ann: still'],
  ]);
});

test('rows are found by state, origin and time, those that stand for many by each of their times', async () => {
  const id = await make({ catchUp: 'none' });
  await pass(NOON + 10 * MINUTE);
  const find = async (filter: Partial<Parameters<typeof listOccurrences>[1]>) =>
    (await listOccurrences(db, { scheduleId: id, limit: 9, ...filter })).map(({ count }) => count);
  expect(await find({})).toEqual([1, 9]);
  expect(await find({ states: ['missed'] })).toEqual([9]);
  expect(await find({ origin: 'plan' })).toEqual([1, 9]);
  expect(await find({ origin: 'trigger' })).toEqual([]);
  expect(await find({ from: NOON + 5 * MINUTE })).toEqual([1, 9]);
  expect(await find({ from: NOON + 9.5 * MINUTE })).toEqual([1]);
  expect(await find({ from: NOON + 5 * MINUTE, to: NOON + 6 * MINUTE })).toEqual([9]);
  expect(await find({ to: NOON })).toEqual([]);
});

test('when no scheduler was there is noted by the first that comes again, and said in what was missed', async () => {
  const id = await make();
  expect(await noteBeat(db, { id: 'a', now: NOON })).toEqual([]);
  expect(await noteBeat(db, { id: 'b', now: NOON + 4_000 })).toEqual([]);
  // While one of them plans there is no gap.
  expect(await noteBeat(db, { id: 'a', now: NOON + 8_000 })).toEqual([]);
  const back = NOON + 10.5 * MINUTE;
  const gaps = await noteBeat(db, { id: 'c', now: back });
  expect(gaps).toEqual([{ from: NOON + 8_000, to: back, cause: 'away' }]);
  expect(await noteBeat(db, { id: 'a', now: back + 10 })).toEqual(gaps);
  await pass(back, gaps);
  const away = 'no scheduler from 2026-03-01T12:00:08.000Z to 2026-03-01T12:10:30.000Z';
  expect(await rowsOf(id)).toEqual([
    [1, 9, 9, 'missed', `outside the catch-up window of 1m: ${away}`],
    [10, 10, 1, 'due', `caught up: ${away}`],
  ]);
  await noteHeld(db, { id: 'a', now: back + 1_000 });
  const [held] = await noteBeat(db, { id: 'a', now: back + MINUTE });
  expect(held).toEqual({ from: back + 10, to: back + MINUTE, cause: 'held' });
  expect(awayAt([{ ...gaps[0], from: NOON, to: back, cause: 'held' }], back)).toMatch(
    /^held back .* storage is full$/,
  );
});

test('a scheduler that begins while new jobs are held back says so, and nothing of times before any scheduler', async () => {
  await noteHeld(db, { id: 'a', now: NOON });
  expect(await noteBeat(db, { id: 'a', now: NOON + MINUTE })).toEqual([]);
  // It dies; another one begins while storage is full, and plans when there is room.
  await noteHeld(db, { id: 'b', now: NOON + 2 * MINUTE });
  await noteHeld(db, { id: 'b', now: NOON + 3 * MINUTE });
  const gap = { from: NOON + MINUTE, to: NOON + 4 * MINUTE, cause: 'held' };
  expect(await noteBeat(db, { id: 'b', now: NOON + 4 * MINUTE })).toEqual([gap]);
});

test('an edit in plain SQL takes effect from its time on, and is another version', async () => {
  const id = await make({ catchUp: { all: 100 } });
  const now = await databaseTime(db);
  // Nobody has planned it since NOON, which is long ago; it is edited twice.
  const edit = (every: number) =>
    inside(db).run(
      `update schedule set definition = jsonb_set(definition, '{when,every}', to_jsonb($1::int))`,
      [every],
    );
  await edit(2 * MINUTE);
  await edit(3 * MINUTE);
  await edit(3 * MINUTE);
  const planned = async () => {
    const row = await inside(db).row<ScheduleRow>(`select ${PLANNED_SELECT} from schedule s`);
    return row && scheduleRecord(row);
  };
  const edited = await planned();
  expect(edited).toMatchObject({ version: 3, nextAt: 0 });
  expect(edited?.updatedAt).toBeGreaterThanOrEqual(now);
  expect(edited?.superseded?.map(({ definition }) => definition.when)).toEqual([
    { every: MINUTE },
    { every: 2 * MINUTE },
  ]);
  for (const { until } of edited?.superseded ?? []) expect(until).toBeGreaterThanOrEqual(now);
  await pass(now - 1);
  expect((await planned())?.superseded).toHaveLength(2);
  // Whoever does not plan is not given it.
  expect((await getSchedule(db, 'one'))?.superseded).toBeUndefined();
  const later = (edited?.updatedAt ?? 0) + 10 * MINUTE;
  while (((await getSchedule(db, 'one'))?.nextAt ?? 0) <= later) await pass(later);
  const times = (await listOccurrences(db, { scheduleId: id, limit: 10 })).map(
    ({ nominalTime }) => nominalTime,
  );
  const last = Math.floor((later - NOON) / (3 * MINUTE)) * 3 * MINUTE + NOON;
  expect(times.filter((time) => time > later - 9 * MINUTE)).toEqual([
    last,
    last - 3 * MINUTE,
    last - 6 * MINUTE,
  ]);
  expect((await planned())?.superseded).toBeUndefined();
});

test('plain SQL makes a schedule of a name and a definition, and takes what was to come of it along', async () => {
  await inside(db).run(
    `insert into schedule (name, definition) values ('sql', '{"when": {"every": 1000}, "job": {"task": "a", "input": 1}}')`,
  );
  const schedule = await getSchedule(db, 'sql');
  expect(schedule?.cursor).toBe(schedule?.createdAt);
  expect(schedule).toMatchObject({
    version: 1,
    runs: 0,
    nextAt: 0,
    definition: { name: 'sql', timeZone: 'UTC', overlap: 'skip', catchUp: 'latest' },
  });
  const { id = '', cursor = 0 } = schedule ?? {};
  await pass(cursor + 3_000);
  expect((await getSchedule(db, 'sql'))?.runs).toBe(3);
  expect(await listOccurrences(db, { scheduleId: id, limit: 9 })).toHaveLength(3);
  await inside(db).run(
    `update occurrence set state = 'buffered' where nominal_time = (select min(nominal_time) from occurrence)`,
  );
  await inside(db).run(
    `update occurrence set state = 'missed' where nominal_time = (select max(nominal_time) from occurrence)`,
  );
  await inside(db).run(`delete from schedule where name = 'sql'`);
  expect((await listOccurrences(db, { scheduleId: id, limit: 9 })).map(({ state }) => state)).toEqual([
    'missed',
  ]);
  // Another one of the same name is another one.
  const again = await make({}, 'sql');
  expect(await listOccurrences(db, { scheduleId: again, limit: 9 })).toEqual([]);
});

test('a schedule that has run as often as it may is finished, and an edit lets it go on', async () => {
  const id = await make({ maxRuns: 2, catchUp: { all: 9 } });
  await pass(NOON + 5 * MINUTE);
  expect(await rowsOf(id)).toHaveLength(2);
  const finished = await getSchedule(db, 'one');
  expect(finished).toMatchObject({ runs: 2, finishedAt: NOON + 5 * MINUTE });
  expect(finished && 'nextAt' in finished).toBe(false);
  await inside(db).run(
    `update schedule set definition = jsonb_set(definition, '{maxRuns}', '3'), updated_at = $1`,
    [new Date(NOON + 6 * MINUTE)],
  );
  expect('finishedAt' in ((await getSchedule(db, 'one')) ?? {})).toBe(false);
  await pass(NOON + 8 * MINUTE);
  expect((await rowsOf(id)).map(([minute]) => minute)).toEqual([1, 2, 7]);
});

test('retention removes what is old in steps, but never what became of a schedule last', async () => {
  const id = await make({ catchUp: { all: 5 } });
  const gone = await make({}, 'gone');
  await pass(NOON + 9 * MINUTE);
  await inside(db).run(
    `update occurrence set state = 'dispatched' where state = 'due' and nominal_time > $1`,
    [new Date(NOON + 5 * MINUTE)],
  );
  await deleteSchedule(db, 'gone');
  expect(await rowsOf(id)).toHaveLength(7);
  expect(await retainOccurrences(db, { before: NOON + 8 * MINUTE, limit: 2 })).toBe(2);
  expect(await retainOccurrences(db, { before: NOON + 60 * MINUTE, limit: 100 })).toBeGreaterThan(1);
  // Two are due still.
  expect((await rowsOf(id)).map(([minute, , , state]) => [minute, state])).toEqual([
    [4, 'due'],
    [5, 'due'],
    [9, 'dispatched'],
  ]);
  expect(await rowsOf(gone)).toEqual([]);
});
