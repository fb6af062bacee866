import { decideOverlap, type OverlapRule, occurrenceJobId, PLAN_ORIGIN } from '@jetbeat/core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleJob } from '../database/sample.ts';
import { insertJobs } from '../jobs/jobs.ts';
import type { DispatchDecision } from './decided.ts';
import { dispatchPass } from './dispatch.ts';
import type { DueOccurrence } from './due-occurrences.ts';
import { at, makeDue, makeSchedule } from './schedule-samples.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('lanes-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job');
});

const BACKFILL = 'backfill:1';
const make = (overlap: OverlapRule) => makeSchedule(db, overlap);
const due = (id: string, seconds: readonly number[], origin?: string) => makeDue(db, id, seconds, origin);

function decide(now: number, one: DueOccurrence): DispatchDecision {
  const { schedule, nominalTime, origin, dispatchAt } = one;
  const rule = one.overlap ?? schedule.definition.overlap;
  const decided = decideOverlap({
    ...one,
    rule,
    dueAt: dispatchAt,
    window: 0,
    recordedUpTo: 1,
    lastSeq: 1,
    now,
  });
  if (decided.decision !== 'dispatch') {
    const { decision, ...rest } = decided;
    return { do: decision, ...rest } as DispatchDecision;
  }
  const id = occurrenceJobId(schedule.id, nominalTime, origin);
  const ref = { id: schedule.id, name: schedule.name, nominalTime, origin };
  return { do: 'dispatch', job: { ...sampleJob({ id, schedule: ref }), totalLimitMs: 1_000_000 } };
}

/** What a pass dispatched, cancelled and skipped: the jobs by the second of their nominal time. */
async function pass(second: number) {
  const now = at(second);
  const done = await dispatchPass(db, {
    now,
    limit: 100,
    recordedUpTo: 1,
    decide: (one) => decide(now, one),
  });
  const dispatched = done.dispatched.map(
    ({ envelope }) => (Number(envelope.schedule?.nominalTime) - NOON) / 1_000,
  );
  return { dispatched, cancelled: done.cancelled, skipped: done.skipped, buffered: done.buffered };
}

const finish = (id: string) =>
  inside(db).run(`update job set state = 'succeeded', finished_at = $2 where id = $1`, [id, new Date(at(1))]);

test.each(['skip', 'allow'] as const)('%s: a backfill and the rule run beside each other', async (rule) => {
  const id = await make(rule);
  await due(id, [-50, -40], BACKFILL);
  expect(await pass(0)).toEqual({ dispatched: [-50], cancelled: [], skipped: 0, buffered: 1 });
  await due(id, [1]);
  expect(await pass(1)).toEqual({ dispatched: [1], cancelled: [], skipped: 0, buffered: 0 });
  // The live job is still open: the backfill waits for its own only.
  await finish(occurrenceJobId(id, at(-50), BACKFILL));
  expect(await pass(2)).toMatchObject({ dispatched: [-40] });
});

test('cancel-previous: takes back neither a backfill nor what an operator has retried', async () => {
  const id = await make('cancel-previous');
  await due(id, [-50], BACKFILL);
  await due(id, [0]);
  expect((await pass(0)).dispatched).toEqual([-50, 0]);
  const schedule = { id, name: 'one', nominalTime: at(-9), origin: PLAN_ORIGIN };
  const retry = { ...sampleJob({ schedule }), totalLimitMs: 1_000_000, retryOf: newId() };
  await insertJobs(db, [retry]);
  await due(id, [1]);
  const first = occurrenceJobId(id, at(0), PLAN_ORIGIN);
  expect(await pass(1)).toEqual({ dispatched: [], cancelled: [first], skipped: 0, buffered: 1 });
  await finish(first);
  await finish(retry.envelope.id);
  expect(await pass(2)).toMatchObject({ dispatched: [1] });
});

test('a job that is there already is not published a second time', async () => {
  const id = await make('allow');
  const schedule = { id, name: 'one', nominalTime: at(0), origin: PLAN_ORIGIN };
  await insertJobs(db, [sampleJob({ id: occurrenceJobId(id, at(0), PLAN_ORIGIN), schedule })]);
  await due(id, [0]);
  expect((await pass(0)).dispatched).toEqual([]);
  const [row] = await inside(db).rows('select state from occurrence');
  expect(row).toEqual({ state: 'dispatched' });
});

test('a backfill of hundreds does not keep what comes due off the pass, nor the other way round', async () => {
  const id = await make('allow');
  await due(
    id,
    Array.from({ length: 300 }, (_, index) => index - 300),
    BACKFILL,
  );
  await inside(db).run(`update occurrence set overlap = 'allow'`);
  await due(id, [1, 2]);
  const first = (await pass(2)).dispatched;
  expect(first).toHaveLength(100);
  expect(first.slice(-2)).toEqual([1, 2]);
  await due(
    id,
    Array.from({ length: 200 }, (_, index) => index + 3),
  );
  const second = (await pass(300)).dispatched;
  expect(second.filter((time) => time < 0)).toHaveLength(20);
  expect(second.filter((time) => time > 0)).toHaveLength(80);
});
