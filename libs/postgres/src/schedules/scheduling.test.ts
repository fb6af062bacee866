import { occurrenceJobId, project } from '@jetbeat/core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { NOON, newId, sampleFacts, sampleJob, sampleSpec } from '../database/sample.ts';
import { recordChanges } from '../history/record.ts';
import { getJob } from '../jobs/jobs.ts';
import type { DispatchDecision } from './decided.ts';
import { dispatchPass } from './dispatch.ts';
import type { DueOccurrence } from './due-occurrences.ts';
import { look, wakeAt } from './look.ts';
import { materializePass } from './materialize.ts';
import { listOccurrences } from './occurrences.ts';
import type { Plan } from './plan-rows.ts';
import type { ScheduleRecord } from './schedule-record.ts';
import { createSchedule } from './schedules.ts';

let made: TestDatabase;
let db: Database;
let other: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'scheduling-test' });
  other = await openDatabase({ url: made.url, applicationName: 'scheduling-test-other' });
});
afterAll(async () => {
  await db?.close();
  await other?.close();
  await made?.drop();
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job');
});

const SECOND = 1_000;

/** Every second since the cursor is due. */
function everySecond(now: number): (schedules: readonly ScheduleRecord[]) => Plan {
  return (schedules) => ({
    occurrences: schedules.flatMap(({ id, cursor }) =>
      Array.from({ length: Math.floor((now - cursor) / SECOND) }, (_, index) => ({
        scheduleId: id,
        nominalTime: cursor + (index + 1) * SECOND,
        origin: 'plan',
        state: 'due' as const,
      })),
    ),
    schedules: schedules.map(({ id, cursor }) => {
      const last = cursor + Math.floor((now - cursor) / SECOND) * SECOND;
      return { id, cursor: last, nextAt: last + SECOND };
    }),
  });
}

function dispatch(due: DueOccurrence): DispatchDecision {
  const { schedule, nominalTime, origin } = due;
  const id = occurrenceJobId(schedule.id, nominalTime, origin);
  const ref = { id: schedule.id, name: schedule.name, nominalTime, origin };
  return {
    do: 'dispatch',
    job: sampleJob({ id, schedule: ref, runAt: nominalTime, createdAt: nominalTime }),
  };
}

function make(name: string, cursor = NOON) {
  return createSchedule(db, {
    id: newId(),
    name,
    definition: sampleSpec(name),
    cursor,
    nextAt: cursor + SECOND,
    now: NOON,
  });
}

test('several schedulers at once give every nominal time one row and every row one job', async () => {
  const schedules = await Promise.all(Array.from({ length: 30 }, (_, index) => make(`s${index}`)));
  const dispatched: string[] = [];
  const pass = async (to: Database, now: number) => {
    await materializePass(to, { now, limit: 7, plan: everySecond(now) });
    const done = await dispatchPass(to, { now, limit: 40, recordedUpTo: 0, decide: dispatch });
    dispatched.push(...done.dispatched.map((job) => job.envelope.id));
  };
  for (let now = NOON; now <= NOON + 5 * SECOND; now += SECOND / 2) {
    await Promise.all([pass(db, now), pass(other, now), pass(db, now), pass(other, now + 100)]);
  }
  const end = NOON + 5 * SECOND;
  while ((wakeAt(await look(db)) ?? end + 1) <= end) await Promise.all([pass(db, end), pass(other, end)]);

  for (const { id } of schedules) {
    const rows = await listOccurrences(db, { scheduleId: id, limit: 100 });
    expect(rows.map(({ nominalTime }) => nominalTime)).toEqual([5, 4, 3, 2, 1].map((n) => NOON + n * SECOND));
    for (const row of rows) {
      expect(row).toMatchObject({ state: 'dispatched', jobId: occurrenceJobId(id, row.nominalTime, 'plan') });
      expect(row.latenessMs).toBeGreaterThanOrEqual(0);
    }
  }
  expect(dispatched).toHaveLength(150);
  expect(new Set(dispatched).size).toBe(150);
  expect(await inside(db).row('select count(*)::int as jobs from job where not published')).toEqual({
    jobs: 150,
  });
});

test('a nominal time that is planned again, as after a clock that went back, has still one row', async () => {
  const { id } = await make('again');
  const now = NOON + 3 * SECOND;
  const plan = everySecond(now);
  const onTheSpot = (schedules: readonly ScheduleRecord[]): Plan => ({
    ...plan(schedules),
    schedules: schedules.map(({ cursor }) => ({ id, cursor, nextAt: now })),
  });
  expect(await materializePass(db, { now, limit: 7, plan: onTheSpot })).toMatchObject({
    schedules: 1,
    occurrences: 3,
  });
  expect(await materializePass(db, { now, limit: 7, plan: onTheSpot })).toMatchObject({
    schedules: 1,
    occurrences: 0,
  });
  expect(await listOccurrences(db, { scheduleId: id, limit: 100 })).toHaveLength(3);
});

test('a job that is still open is counted, one past its total limit is not', async () => {
  const { id } = await make('one');
  await materializePass(db, { now: NOON + 2 * SECOND, limit: 1, plan: everySecond(NOON + 2 * SECOND) });
  const seen: number[] = [];
  const once = (due: DueOccurrence): DispatchDecision => {
    seen.push(due.openJobs);
    if (due.openJobs > 0) expect(due.openJob).toMatchObject({ id: expect.any(String), state: 'queued' });
    return due.openJobs > 0 ? { do: 'skip', reason: { code: 'overlap', text: 'open' } } : dispatch(due);
  };
  const first = await dispatchPass(db, { now: NOON + 2 * SECOND, limit: 10, recordedUpTo: 0, decide: once });
  expect(first).toMatchObject({ skipped: 1, waiting: 0 });
  expect(first.dispatched).toHaveLength(1);
  // The sample's total limit is a minute from its run time.
  const much = NOON + 62 * SECOND;
  const plan = (at: number) => () => ({
    occurrences: [{ scheduleId: id, nominalTime: at, origin: 'plan', state: 'due' as const }],
    schedules: [{ id, cursor: at, nextAt: at }],
  });
  for (const now of [NOON + 60 * SECOND, much]) {
    await materializePass(db, { now, limit: 1, plan: plan(now) });
    await dispatchPass(db, { now, limit: 10, recordedUpTo: 0, decide: once });
  }
  expect(seen).toEqual([0, 1, 1, 0]);
  const states = (await listOccurrences(db, { scheduleId: id, limit: 9 })).map(({ state, reason }) => [
    state,
    reason?.code,
  ]);
  // The two that were skipped are one row, since their reason is the same.
  expect(states).toEqual([
    ['dispatched', undefined],
    ['skipped', 'overlap'],
    ['dispatched', undefined],
  ]);
});

test('an occurrence that waits is asked about again when history has come so far, or its time is over', async () => {
  await make('waits');
  const now = NOON + SECOND;
  await materializePass(db, { now, limit: 1, plan: everySecond(now) });
  const asked: (number | undefined)[] = [];
  const ask = (params: { now?: number; recordedUpTo: number }, decision: DispatchDecision) =>
    dispatchPass(db, {
      now,
      limit: 10,
      ...params,
      decide: (due) => {
        asked.push(due.waitedForSeq);
        return decision;
      },
    });
  const wait = { do: 'wait', eventsSeq: 50, until: now + 9 * SECOND } as const;
  expect(await ask({ recordedUpTo: 40 }, { do: 'wait', until: wait.until })).toMatchObject({ waiting: 1 });
  expect(await ask({ recordedUpTo: 40 }, wait)).toMatchObject({ waiting: 1 });
  expect(await ask({ recordedUpTo: 49 }, wait)).toMatchObject({ waiting: 0 });
  expect(await look(db)).toEqual({
    now: expect.any(Number),
    planAt: now + SECOND,
    buffered: false,
    waiting: true,
  });
  expect(await ask({ recordedUpTo: 50 }, wait)).toMatchObject({ waiting: 1 });
  const skip = { do: 'skip', reason: { code: 'overlap', text: '' } } as const;
  expect(await ask({ recordedUpTo: 0, now: wait.until }, skip)).toMatchObject({ skipped: 1 });
  expect(asked).toEqual([undefined, undefined, 50, 50]);
});

test('a pass that fails leaves everything as it was', async () => {
  const { id } = await make('fails');
  const now = NOON + SECOND;
  const broken = () => {
    throw new Error('on purpose');
  };
  await expect(materializePass(db, { now, limit: 1, plan: broken })).rejects.toThrow('on purpose');
  await materializePass(db, { now, limit: 1, plan: everySecond(now) });
  const wrong = (): DispatchDecision => ({ do: 'dispatch', job: sampleJob() });
  await expect(dispatchPass(db, { now, limit: 1, recordedUpTo: 0, decide: wrong })).rejects.toThrow(
    'must have the id',
  );
  expect(await listOccurrences(db, { scheduleId: id, limit: 9 })).toMatchObject([{ state: 'due' }]);
  expect(
    (await dispatchPass(db, { now, limit: 1, recordedUpTo: 0, decide: dispatch })).dispatched,
  ).toHaveLength(1);
  expect(await look(db)).toEqual({
    now: expect.any(Number),
    planAt: now + SECOND,
    buffered: false,
    waiting: false,
  });
});

afterEach(async () => {
  // Whatever a test did: no row in between, and no job without its row.
  const lost = `select 1 from job j where schedule_id is not null and not exists (
    select from occurrence o where o.job_id = j.id and o.state = 'dispatched')`;
  expect(await inside(db).rows(lost)).toEqual([]);
});

test('history of an ended job frees the schedule', async () => {
  await make('ends');
  const now = NOON + SECOND;
  await materializePass(db, { now, limit: 1, plan: everySecond(now) });
  const { dispatched } = await dispatchPass(db, { now, limit: 1, recordedUpTo: 0, decide: dispatch });
  const job = dispatched[0]?.envelope.id ?? '';
  expect(await getJob(db, job)).toMatchObject({
    schedule: { name: 'ends', nominalTime: now },
    origin: 'plan',
    published: false,
  });
  const end = {
    ...sampleFacts({ job }),
    kind: 'ended',
    state: 'dead',
    reason: { code: 'x', text: 'y' },
    at: now,
  } as const;
  await recordChanges(db, { changes: project([end]), workers: [], now });
  await materializePass(db, { now: now + SECOND, limit: 1, plan: everySecond(now + SECOND) });
  const seen: number[] = [];
  const decide = (due: DueOccurrence) => {
    seen.push(due.openJobs);
    return dispatch(due);
  };
  await dispatchPass(db, { now: now + SECOND, limit: 1, recordedUpTo: 0, decide });
  expect(seen).toEqual([0]);
});
