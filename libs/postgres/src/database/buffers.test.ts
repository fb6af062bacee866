import {
  bufferOf,
  decideOverlap,
  type OverlapRule,
  occurrenceJobId,
  PLAN_ORIGIN,
  pausedReason,
  project,
  type ScheduleSpec,
} from '@jetbeat/core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { recordChanges } from '../history/record.ts';
import { cancelledRuns } from '../schedules/cancelled-runs.ts';
import type { DispatchDecision } from '../schedules/decided.ts';
import { dispatchPass } from '../schedules/dispatch.ts';
import type { DueOccurrence } from '../schedules/due-occurrences.ts';
import { pauseAllFailing } from '../schedules/failing-schedules.ts';
import { look } from '../schedules/look.ts';
import { listOccurrences } from '../schedules/occurrences.ts';
import { at, makeDue, makeSchedule } from '../schedules/schedule-samples.ts';
import { getSchedule, resumeSchedule } from '../schedules/schedules.ts';
import { type Database, inside } from './database.ts';
import { NOON, sampleFacts, sampleJob } from './sample.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('buffers-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job');
});

const SECOND = 1_000;
const make = (overlap: OverlapRule, change: Partial<ScheduleSpec> = {}) => makeSchedule(db, overlap, change);
const due = (id: string, seconds: readonly number[], origin?: string) => makeDue(db, id, seconds, origin);

/** Decides as a scheduler does, with history at its end. */
function decide(now: number): (one: DueOccurrence) => DispatchDecision {
  return (one) => {
    const { schedule, nominalTime, origin, dispatchAt } = one;
    if (schedule.paused && origin === PLAN_ORIGIN)
      return { do: 'skip', reason: pausedReason(schedule.paused) };
    const decided = decideOverlap({
      ...one,
      rule: one.overlap ?? schedule.definition.overlap,
      bounded: bufferOf(origin) === PLAN_ORIGIN,
      dueAt: dispatchAt,
      window: 0,
      recordedUpTo: 1,
      lastSeq: 1,
      now,
    });
    if (decided.decision === 'buffer')
      return { do: 'buffer', reason: decided.reason, cancel: decided.cancel };
    if (decided.decision === 'skip') return { do: 'skip', reason: decided.reason };
    const id = occurrenceJobId(schedule.id, nominalTime, origin);
    const ref = { id: schedule.id, name: schedule.name, nominalTime, origin };
    const job = sampleJob({ id, schedule: ref, runAt: dispatchAt, createdAt: now });
    return { do: 'dispatch', job: { ...job, totalLimitMs: 1_000 * SECOND } };
  };
}

async function pass(second: number) {
  const now = at(second);
  return dispatchPass(db, { now, limit: 100, recordedUpTo: 1, decide: decide(now) });
}

/** History of the end of a job. */
async function ends(job: string, second: number, state: 'dead' | 'succeeded' = 'succeeded'): Promise<void> {
  const reason = { code: 'x', text: 'the disk is full' };
  const event =
    state === 'dead'
      ? ({
          ...sampleFacts({ job, createdAt: at(second) }),
          kind: 'ended',
          state,
          reason,
          at: at(second),
        } as const)
      : undefined;
  if (event) await recordChanges(db, { changes: project([event]), workers: [], now: at(second) });
  else
    await inside(db).run(`update job set state = 'succeeded', finished_at = $2 where id = $1`, [
      job,
      new Date(at(second)),
    ]);
}

async function rows(scheduleId: string) {
  const found = (await listOccurrences(db, { scheduleId, limit: 100 })).toReversed();
  return found.map(({ nominalTime, state, count }) => [
    ...[(nominalTime - NOON) / SECOND, state],
    ...(count > 1 ? [count] : []),
  ]);
}

const jobOf = (id: string, second: number, origin = PLAN_ORIGIN) => occurrenceJobId(id, at(second), origin);

test('buffer-one: the first waits, what comes after it is left out, and it runs when the job has ended', async () => {
  const id = await make('buffer-one');
  await due(id, [0]);
  expect((await pass(0)).dispatched).toHaveLength(1);
  await due(id, [1, 2, 3]);
  expect(await pass(3)).toMatchObject({ buffered: 1, skipped: 2 });
  expect(await rows(id)).toEqual([
    [0, 'dispatched'],
    [1, 'buffered'],
    [2, 'skipped', 2],
  ]);
  expect((await look(db)).buffered).toBe(true);
  expect(await pass(4)).toMatchObject({ looked: 0 });
  await ends(jobOf(id, 0), 5);
  expect((await pass(5)).dispatched.map(({ envelope }) => envelope.id)).toEqual([jobOf(id, 1)]);
  expect((await look(db)).buffered).toBe(false);
  await due(id, [6]);
  expect(await pass(6)).toMatchObject({ buffered: 1 });
});

test('buffer-all: all run, one after the other, in their order, and a thousand wait at most', async () => {
  const id = await make('buffer-all');
  await due(id, [0, 1, 2]);
  await pass(2);
  for (const second of [1, 2]) {
    await due(id, [second + 10]);
    expect((await pass(second + 10)).dispatched).toEqual([]);
    await ends(jobOf(id, second - 1), second);
    expect((await pass(second + 10)).dispatched.map(({ envelope }) => envelope.id)).toEqual([
      jobOf(id, second),
    ]);
  }
  expect((await rows(id)).slice(3)).toEqual([
    [11, 'buffered'],
    [12, 'buffered'],
  ]);
  await due(
    id,
    Array.from({ length: 1_000 }, (_, index) => 100 + index / 10),
  );
  for (let round = 0; round < 11; round++) await pass(300);
  const states = await inside(db).rows(
    `select state, reason->>'code' as code, sum(count)::int as count from occurrence group by 1, 2 order by 1, 2`,
  );
  expect(states).toEqual([
    { state: 'buffered', code: 'overlap', count: 1_000 },
    { state: 'dispatched', code: null, count: 3 },
    { state: 'skipped', code: 'buffer_full', count: 2 },
  ]);
});

test('a backfill waits in a row of its own', async () => {
  const id = await make('buffer-one');
  await due(id, [0]);
  await pass(0);
  const origin = 'backfill:1';
  await due(id, [-50, -40, -30], origin);
  const begun = await pass(1);
  expect(begun).toMatchObject({ buffered: 2 });
  expect(begun.dispatched.map(({ envelope }) => envelope.id)).toEqual([jobOf(id, -50, origin)]);
  await due(id, [1]);
  expect(await pass(1)).toMatchObject({ buffered: 1, skipped: 0 });
  await ends(jobOf(id, 0), 2);
  expect((await pass(2)).dispatched.map(({ envelope }) => envelope.id)).toEqual([jobOf(id, 1)]);
});

test('cancel-previous: the open job is to be cancelled, and of those that wait only the last stays', async () => {
  const id = await make('cancel-previous');
  await due(id, [0]);
  await pass(0);
  await due(id, [1]);
  expect(await pass(1)).toMatchObject({ buffered: 1, cancelled: [jobOf(id, 0)] });
  await due(id, [2, 3]);
  expect(await pass(3)).toMatchObject({ buffered: 2, skipped: 2 });
  const [, first, second, third] = (await listOccurrences(db, { scheduleId: id, limit: 9 })).toReversed();
  const replaced = (by: number) => `overlap: replaced by the run of ${new Date(at(by)).toISOString()}`;
  expect(first).toMatchObject({ state: 'skipped', count: 2, reason: { text: replaced(3) } });
  expect(second).toMatchObject({ state: 'buffered', nominalTime: at(3) });
  expect(third).toBeUndefined();
  const [job] = await cancelledRuns(db, { limit: 9 });
  expect(job).toMatchObject({
    id: jobOf(id, 0),
    cancelReason: 'the next run of its schedule takes its place',
  });
  await ends(jobOf(id, 0), 4);
  expect(await cancelledRuns(db, { limit: 9 })).toEqual([]);
  expect((await pass(4)).dispatched.map(({ envelope }) => envelope.id)).toEqual([jobOf(id, 3)]);
});

test('skipped times of one reason become one row, pass after pass', async () => {
  const id = await make('skip');
  await due(id, [0]);
  await pass(0);
  for (const second of [1, 2, 3, 4]) {
    await due(id, [second]);
    await pass(second);
  }
  expect(await rows(id)).toEqual([
    [0, 'dispatched'],
    [1, 'skipped', 4],
  ]);
  const [row] = await listOccurrences(db, { scheduleId: id, limit: 1 });
  expect(row).toMatchObject({ to: at(4), reason: { text: `overlap: job ${jobOf(id, 0)} still queued` } });
});

test('a schedule whose last runs all failed is paused, says which failed last, and resumes with a clean slate', async () => {
  const id = await make('skip', { pauseAfterFailures: 2 });
  const run = async (second: number, state: 'dead' | 'succeeded') => {
    await due(id, [second]);
    const { dispatched } = await pass(second);
    if (dispatched.length > 0) await ends(jobOf(id, second), second, state);
    return dispatched.length;
  };
  await run(0, 'dead');
  await run(1, 'succeeded');
  await run(2, 'dead');
  expect(await pauseAllFailing(db, at(2))).toEqual([]);
  expect(await run(3, 'dead')).toBe(1);
  // Of what comes due now nothing runs, though nobody has looked in between.
  expect(await run(4, 'dead')).toBe(0);
  const note = `2 runs in a row failed, last: job ${jobOf(id, 3)} (the disk is full)`;
  expect((await getSchedule(db, 'one'))?.paused).toEqual({ by: 'jetbeat', note, since: at(4) });
  const [last] = await listOccurrences(db, { scheduleId: id, limit: 1 });
  expect(last).toMatchObject({
    state: 'skipped',
    reason: { code: 'paused', text: `paused by jetbeat: ${note}` },
  });
  await resumeSchedule(db, { name: 'one', now: at(5) });
  expect(await pauseAllFailing(db, at(5))).toEqual([]);
  expect(await run(6, 'dead')).toBe(1);
  expect(await pauseAllFailing(db, at(6))).toEqual([]);
  expect(await run(7, 'dead')).toBe(1);
  const found = await pauseAllFailing(db, at(7));
  expect(found.map(({ name, paused }) => [name, paused?.since])).toEqual([['one', at(7)]]);
});
