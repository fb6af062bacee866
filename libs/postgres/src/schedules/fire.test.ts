import { type OverlapRule, occurrenceJobId, PLAN_ORIGIN, type ScheduleSpec } from '@jetbeat/core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, sampleJob } from '../database/sample.ts';
import { insertJobs } from '../jobs/jobs.ts';
import type { DueOccurrence } from './due-occurrences.ts';
import { materializePass } from './materialize.ts';
import type { PlannedOccurrence } from './plan-rows.ts';
import type { ScheduleRecord } from './schedule-record.ts';
import { at, makeSchedule } from './schedule-samples.ts';
import { writePlan } from './write-plan.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('fire-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job');
});

const make = (overlap: OverlapRule, change: Partial<ScheduleSpec> = {}) =>
  makeSchedule(db, overlap, change, at(0));
const due = (scheduleId: string, second: number, change: Partial<PlannedOccurrence> = {}) => ({
  scheduleId,
  nominalTime: at(second),
  origin: PLAN_ORIGIN,
  state: 'due' as const,
  ...change,
});

function jobOf({ schedule: { id, name }, nominalTime, origin }: DueOccurrence) {
  const schedule = { id, name, nominalTime, origin };
  const job = sampleJob({ id: occurrenceJobId(id, nominalTime, origin), schedule, createdAt: nominalTime });
  return { ...job, totalLimitMs: 1_000_000 };
}

/** Plans these times; returns the seconds of those that were fired, and of those that are left to be decided. */
async function pass(second: number, occurrences: readonly PlannedOccurrence[], asked: number[] = []) {
  const plan = (schedules: readonly ScheduleRecord[]) => ({
    occurrences,
    schedules: schedules.map(({ id, cursor }) => ({ id, cursor, nextAt: at(0) })),
  });
  const fire = (one: DueOccurrence) => {
    asked.push((one.nominalTime - NOON) / 1_000);
    return jobOf(one);
  };
  const { fired, left } = await materializePass(db, { now: at(second), limit: 10, plan, fire });
  return {
    fired: fired.map(({ envelope }) => (Number(envelope.schedule?.nominalTime) - NOON) / 1_000),
    left: left.map(({ nominalTime }) => (nominalTime - NOON) / 1_000),
  };
}

const rows = () =>
  inside(db).rows<{ state: string; job: string | null; lateness: number | null }>(
    `select state, job_id as job, lateness_ms::int as lateness from occurrence order by nominal_time`,
  );

test('what comes due in time is planned and has its job in one transaction', async () => {
  const id = await make('allow');
  expect(await pass(2, [due(id, 1), due(id, 2)])).toEqual({ fired: [1, 2], left: [] });
  expect(await rows()).toEqual([
    { state: 'dispatched', job: occurrenceJobId(id, at(1), PLAN_ORIGIN), lateness: 1_000 },
    { state: 'dispatched', job: occurrenceJobId(id, at(2), PLAN_ORIGIN), lateness: 0 },
  ]);
  expect(await inside(db).row('select count(*)::int as n from job where not published')).toEqual({ n: 2 });
});

test('a time that has its row already gets no job, and one whose job is there is not published again', async () => {
  const id = await make('allow');
  const missed = due(id, 1, { state: 'missed', reason: { code: 'catch_up_none', text: 'x' } });
  await inside(db).transaction((sql) => writePlan(sql, { occurrences: [missed], schedules: [] }, NOON));
  const schedule = { id, name: 'one', nominalTime: at(2), origin: PLAN_ORIGIN };
  await insertJobs(db, [sampleJob({ id: occurrenceJobId(id, at(2), PLAN_ORIGIN), schedule })]);
  expect((await pass(2, [due(id, 1), due(id, 2)])).fired).toEqual([]);
  expect((await rows()).map(({ state }) => state)).toEqual(['missed', 'dispatched']);
  expect(await inside(db).row('select count(*)::int as n from job')).toEqual({ n: 1 });
});

test('what is caught up, or comes later, or may pause its schedule, is left to whoever decides', async () => {
  const id = await make('allow');
  const late = due(id, -60, { reason: { code: 'caught_up', text: 'x' } });
  const later = due(id, 1, { dispatchAt: at(3) });
  expect(await pass(2, [late, later, due(id, 2)])).toEqual({ fired: [2], left: [-60] });
  expect((await rows()).map(({ state }) => state)).toEqual(['due', 'due', 'dispatched']);
  await inside(db).run('truncate schedule, occurrence, job');
  const watched = await make('allow', { pauseAfterFailures: 2 });
  expect(await pass(2, [due(watched, 2)])).toEqual({ fired: [], left: [2] });
});

test.each(['skip', 'buffer-all', 'cancel-previous'] as const)(
  '%s: only the first of a lane that is free is fired',
  async (rule) => {
    const id = await make(rule);
    expect(await pass(2, [due(id, 1), due(id, 2)])).toEqual({ fired: [1], left: [2] });
    // Its job is open now, and a time waits to be decided.
    expect(await pass(3, [due(id, 3)])).toEqual({ fired: [], left: [3] });
  },
);

const written = (rows: readonly (PlannedOccurrence & { state: string })[]) =>
  inside(db).transaction((sql) =>
    writePlan(sql, { occurrences: rows as readonly PlannedOccurrence[], schedules: [] }, NOON),
  );

test('a lane in which something is due, or waits, is not passed by; that of a backfill is another one', async () => {
  const id = await make('buffer-all');
  await written([due(id, -5)]);
  expect(await pass(1, [due(id, 1)])).toEqual({ fired: [], left: [1] });
  await inside(db).run(`update occurrence set state = 'buffered'`);
  expect(await pass(2, [due(id, 2)])).toEqual({ fired: [], left: [2] });
  await inside(db).run(`update occurrence set state = 'due', wait_until = $1`, [new Date(at(60))]);
  expect(await pass(3, [due(id, 3)])).toEqual({ fired: [], left: [3] });
  await inside(db).run(`update occurrence set origin = 'backfill:1'`);
  expect(await pass(4, [due(id, 4)])).toEqual({ fired: [4], left: [] });
});

test('what is late in its plan keeps those behind it from being fired', async () => {
  const id = await make('skip');
  const late = due(id, -60, { reason: { code: 'caught_up', text: 'x' } });
  const asked: number[] = [];
  expect(await pass(2, [late, due(id, 2)], asked)).toEqual({ fired: [], left: [-60, 2] });
  expect(asked).toEqual([]);
});

test('thousands of a backfill change nothing for runs that may not overlap', async () => {
  const id = await make('skip');
  await inside(db).run(
    `insert into occurrence (schedule_id, nominal_time, origin, state)
     select $2::uuid, $1::timestamptz - n * interval '1 s', 'backfill:1', 'due' from generate_series(1, 1000) n`,
    [new Date(NOON), id],
  );
  expect(await pass(1, [due(id, 1)])).toEqual({ fired: [1], left: [] });
});

test('with very much to be decided, runs that may not overlap are decided with it', async () => {
  const id = await make('skip');
  await inside(db).run(
    `insert into occurrence (schedule_id, nominal_time, origin, state)
     select gen_random_uuid(), $1, 'plan', 'due' from generate_series(1, 1000)`,
    [new Date(NOON)],
  );
  expect(await pass(1, [due(id, 1)])).toEqual({ fired: [], left: [1] });
});
