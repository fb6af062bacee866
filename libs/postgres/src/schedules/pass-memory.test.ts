import { occurrenceJobId } from '@jetbeat/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { NOON, sampleJob } from '../database/sample.ts';
import { askRuns } from './ask-runs.ts';
import type { DispatchDecision } from './decided.ts';
import { dispatchPass } from './dispatch.ts';
import type { DueOccurrence } from './due-occurrences.ts';
import { materializePass } from './materialize.ts';
import type { Plan } from './plan-rows.ts';
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

const SCHEDULES = 30;
const BYTES = 90_000;
const BUDGET = 1024 ** 2;
/** As many as fit, and one more. */
const MOST = Math.ceil(BUDGET / BYTES);

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
      scheduleId: id,
      nominalTime: NOON,
      origin: 'plan',
      state: 'due' as const,
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

const decidePass = (decide: (due: DueOccurrence) => DispatchDecision) =>
  dispatchPass(db, { now: NOON, limit: 500, recordedUpTo: 0, budget: BUDGET, decide });

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
    const done = await materializePass(db, {
      now: NOON,
      limit: 250,
      budget: BUDGET,
      plan: atNoon,
      fire: jobOf,
    });
    expect(done.fired.map(({ bytes = 0 }) => bytes >= BYTES)).toEqual(done.fired.map(() => true));
    expect(done.fired).toHaveLength(done.schedules);
    expect(done.cut).toBe(done.more);
    sizes.push(done.schedules);
    ({ more } = done);
  }
  expect(sizes).toEqual([MOST, MOST, SCHEDULES - 2 * MOST]);
  expect(await inputs()).toEqual({ bytes: SCHEDULES * BYTES, jobs: SCHEDULES });
});

test('occurrences with large inputs are decided as many at a time as memory has room for; the rest stays due', async () => {
  await makeLarge();
  await inside(db).run(
    `insert into occurrence (schedule_id, nominal_time, origin, state) select id, $1, 'plan', 'due' from schedule`,
    [new Date(NOON)],
  );
  const sizes: number[] = [];
  for (let cut = true; cut; ) {
    const done = await decidePass(dispatched);
    expect(done.dispatched).toHaveLength(done.looked);
    sizes.push(done.looked);
    ({ cut } = done);
  }
  expect(sizes).toEqual([MOST, MOST, SCHEDULES - 2 * MOST]);
  expect(await inputs()).toEqual({ bytes: SCHEDULES * BYTES, jobs: SCHEDULES });
});

test('one schedule is read once, and each of its jobs counts; a large backfill keeps out nothing live, though it is older', async () => {
  await makeLarge(1);
  const runs = Array.from({ length: SCHEDULES }, (_, index) => ({
    nominalTime: NOON - 60_000 * (index + 1),
    dispatchAt: NOON,
  }));
  await askRuns(db, { name: 's1', plan: () => ({ origin: 'backfill:1', overlap: 'allow', runs }) });
  const small = { value: { a: 1 } };
  for (let index = 0; index < 5; index++) {
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
    const done = await decidePass(decide);
    sizes.push(done.looked);
    ({ cut } = done);
  }
  // The live ones have small inputs of their own.
  expect(sizes).toEqual([5 + MOST, MOST, SCHEDULES - 2 * MOST]);
  expect(seen.size).toBe(1);
  expect(await inside(db).row(`select count(*)::int as small from job where input = '{"a": 1}'`)).toEqual({
    small: 5,
  });
});

test('a heavy input of a run is read only with it', async () => {
  await makeLarge(1);
  const value = 'y'.repeat(BYTES);
  for (let index = 0; index < 15; index++) {
    const [origin, run] = [`trigger:${index}`, { nominalTime: NOON - index, dispatchAt: NOON }];
    await askRuns(db, {
      name: 's1',
      plan: () => ({ origin, overlap: 'allow', runs: [run], input: { value } }),
    });
  }
  const sizes: number[] = [];
  for (let cut = true; cut; ) {
    const done = await decidePass(dispatched);
    sizes.push(done.looked);
    ({ cut } = done);
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST);
  expect(await inputs()).toEqual({ bytes: 15 * BYTES, jobs: 1 });
});

test('a schedule that has very much of what was superseded is read by itself', async () => {
  await makeLarge(3);
  await inside(db).run(
    `update schedule set superseded = (select jsonb_agg(jsonb_build_object('definition', was, 'until', 1))
       from (select definition as was from generate_series(1, 25)) edits)`,
  );
  const budget = 2 * BUDGET;
  const done = await materializePass(db, { now: NOON, limit: 250, budget, plan: atNoon });
  expect(done).toMatchObject({ schedules: 1, cut: true });
});

test('large ones that wait for history keep out neither what comes due nor a backfill', async () => {
  await makeLarge(1);
  await inside(db).run(
    `insert into occurrence (schedule_id, nominal_time, origin, state, wait_until)
     select id, $1::timestamptz - n * interval '1 s', origin, 'due', case origin when 'plan' then $1::timestamptz + interval '1 h' end
     from schedule, generate_series(1, 15) n,
       lateral (values ('plan'), ('backfill:1'), ('trigger:' || n)) as x (origin) where origin = 'plan' or n < 5`,
    [new Date(NOON)],
  );
  const seen: string[] = [];
  await decidePass((due) => {
    seen.push(due.origin.replace(/:.*/, ''));
    return { do: 'wait', until: NOON + 1 };
  });
  const counts = Object.groupBy(seen, (origin) => origin);
  expect([counts['trigger']?.length, counts['backfill']?.length, seen.length]).toEqual([4, 4, MOST]);
});
