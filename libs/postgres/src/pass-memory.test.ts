import { occurrenceJobId } from '@jetbeat/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { askRuns } from './ask-runs.ts';
import { type Database, inside } from './database.ts';
import type { DispatchDecision } from './decided.ts';
import { dispatchPass } from './dispatch.ts';
import type { DueOccurrence } from './due-occurrences.ts';
import { materializePass } from './materialize.ts';
import { openDatabase } from './open.ts';
import type { Plan } from './plan-rows.ts';
import { NOON, sampleJob } from './sample.ts';
import type { ScheduleRecord } from './schedule-record.ts';

let made: TestDatabase;
let db: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'pass-memory-test' });
});
afterAll(async () => {
  await db?.close();
  await made?.drop();
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job');
});

const SCHEDULES = 45;
const BYTES = 900_000;
/** As many as 16 MiB take, and one more. */
const MOST = Math.ceil((16 * 1024 ** 2) / BYTES);

/** Made by PostgreSQL itself, and stored as a hundredth of that: only who reads them finds out how large they are. */
async function makeLarge(count = SCHEDULES): Promise<void> {
  await inside(db).run(
    `insert into schedule (name, definition, cursor_at, next_at)
     select 's' || n, jsonb_build_object('when', jsonb_build_object('every', 60000), 'overlap', 'allow',
       'job', jsonb_build_object('task', 'a', 'input', repeat('x', ${BYTES}))), $1, $1
     from generate_series(1, $2::integer) n`,
    [new Date(NOON), count],
  );
}

/** Each of them is due at noon. */
function atNoon(schedules: readonly ScheduleRecord[]): Plan {
  return {
    occurrences: schedules.map(({ id }) => ({
      ...{ scheduleId: id, nominalTime: NOON, origin: 'plan', state: 'due' as const },
    })),
    schedules: schedules.map(({ id }) => ({ id, cursor: NOON, nextAt: NOON + 60_000 })),
  };
}

function jobOf(due: DueOccurrence) {
  const { schedule, nominalTime, origin, input = { value: schedule.definition.job.input } } = due;
  const id = occurrenceJobId(schedule.id, nominalTime, origin);
  const ref = { id: schedule.id, name: schedule.name, nominalTime, origin };
  return sampleJob({ id, schedule: ref, input: input.value });
}

const dispatched = (due: DueOccurrence): DispatchDecision => ({ do: 'dispatch', job: jobOf(due) });

/** How long the inputs of all jobs are together, and of how many different ones. */
async function inputs() {
  return inside(db).row<{ bytes: number; jobs: number }>(
    `select sum(length(input #>> '{}'))::float8 as bytes, count(distinct schedule_id)::int as jobs from job`,
  );
}

test('schedules with large inputs are planned, and their jobs made, as many at a time as memory has room for', async () => {
  await makeLarge();
  const sizes: number[] = [];
  for (let more = true; more; ) {
    const done = await materializePass(db, { now: NOON, limit: 250, plan: atNoon, fire: jobOf });
    expect(done.fired).toHaveLength(done.schedules);
    expect(done.cut).toBe(done.more);
    sizes.push(done.schedules);
    ({ more } = done);
  }
  expect(sizes).toEqual([MOST, MOST, SCHEDULES - 2 * MOST]);
  expect(await inputs()).toEqual({ bytes: SCHEDULES * BYTES, jobs: SCHEDULES });
}, 60_000);

test('occurrences with large inputs are decided as many at a time as memory has room for; the rest stays due', async () => {
  await makeLarge();
  await inside(db).run(
    `insert into occurrence (schedule_id, nominal_time, origin, state) select id, $1, 'plan', 'due' from schedule`,
    [new Date(NOON)],
  );
  const sizes: number[] = [];
  for (let cut = true; cut; ) {
    const done = await dispatchPass(db, { now: NOON, limit: 500, recordedUpTo: 0, decide: dispatched });
    expect(done.dispatched).toHaveLength(done.looked);
    sizes.push(done.looked);
    ({ cut } = done);
  }
  expect(sizes).toEqual([MOST, MOST, SCHEDULES - 2 * MOST]);
  expect(await inputs()).toEqual({ bytes: SCHEDULES * BYTES, jobs: SCHEDULES });
}, 60_000);

test('one schedule is read once, and each of its jobs counts; runs with inputs of their own count by those', async () => {
  await makeLarge(1);
  const runs = Array.from({ length: 40 }, (_, index) => ({
    nominalTime: NOON - 60_000 * (index + 1),
    dispatchAt: NOON,
  }));
  await askRuns(db, { name: 's1', plan: () => ({ origin: 'backfill:1', overlap: 'allow', runs }) });
  const small = { value: { a: 1 } };
  for (let index = 0; index < 40; index++) {
    const [origin, run] = [`trigger:${index}`, { nominalTime: NOON - index, dispatchAt: NOON }];
    await askRuns(db, { name: 's1', plan: () => ({ origin, overlap: 'allow', runs: [run], input: small }) });
  }
  const seen = new Set<unknown>();
  const decide = (due: DueOccurrence) => {
    if (!due.input) seen.add(due.schedule.definition.job.input);
    return dispatched(due);
  };
  const sizes: number[] = [];
  for (let cut = true; cut; ) {
    const done = await dispatchPass(db, { now: NOON, limit: 500, recordedUpTo: 0, decide });
    sizes.push(done.looked);
    ({ cut } = done);
  }
  // The small ones are later, and come with the last of the large ones.
  expect(sizes).toEqual([MOST, MOST, 80 - 2 * MOST]);
  expect(seen.size).toBe(1);
  expect(await inside(db).row(`select count(*)::int as small from job where input = '{"a": 1}'`)).toEqual({
    small: 40,
  });
}, 60_000);

test('a heavy input of a run is read only with it', async () => {
  await makeLarge(1);
  const value = 'y'.repeat(BYTES);
  for (let index = 0; index < 20; index++) {
    const [origin, run] = [`trigger:${index}`, { nominalTime: NOON - index, dispatchAt: NOON }];
    await askRuns(db, {
      name: 's1',
      plan: () => ({ origin, overlap: 'allow', runs: [run], input: { value } }),
    });
  }
  const sizes: number[] = [];
  for (let cut = true; cut; ) {
    const done = await dispatchPass(db, { now: NOON, limit: 500, recordedUpTo: 0, decide: dispatched });
    sizes.push(done.looked);
    ({ cut } = done);
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST);
  expect(await inputs()).toEqual({ bytes: 20 * BYTES, jobs: 1 });
}, 60_000);
