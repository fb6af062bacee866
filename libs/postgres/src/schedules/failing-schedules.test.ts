import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleJob, sampleSpec } from '../database/sample.ts';
import { insertJobs } from '../jobs/jobs.ts';
import { pauseAllFailing } from './failing-schedules.ts';
import { listSchedules } from './list-schedules.ts';
import { createSchedule } from './schedules.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('failing-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job');
});

async function make(paused: { since: number; until: number }, nextAt: number) {
  const definition = { ...sampleSpec('one'), pauseAfterFailures: 1 };
  const { id } = await createSchedule(db, { id: newId(), name: 'one', definition, nextAt, now: NOON });
  await inside(db).run('update schedule set paused_at = $2, paused_until = $3 where id = $1', [
    id,
    new Date(paused.since),
    new Date(paused.until),
  ]);
  return id;
}

async function fails(id: string, createdAt: number): Promise<void> {
  const schedule = { id, name: 'one', nominalTime: createdAt, origin: 'plan' };
  const job = sampleJob({ schedule, createdAt });
  await insertJobs(db, [job]);
  await inside(db).run(`update job set state = 'dead', finished_at = created_at where id = $1`, [
    job.envelope.id,
  ]);
}

test('a schedule whose pause is over is listed as active, before its next time comes', async () => {
  const now = Date.now();
  await make({ since: now - 20_000, until: now - 10_000 }, now + 3_600_000);
  const names = async (state: 'active' | 'paused') =>
    (await listSchedules(db, { limit: 9, states: [state] })).schedules.map(({ name }) => name);
  expect(await names('active')).toEqual(['one']);
  expect(await names('paused')).toEqual([]);
  await inside(db).run('update schedule set paused_until = $1', [new Date(now + 3_600_000)]);
  expect(await names('active')).toEqual([]);
  expect(await names('paused')).toEqual(['one']);
});

test('a pause that is over protects no schedule that fails, but planning sees it first', async () => {
  const id = await make({ since: NOON - 20_000, until: NOON - 10_000 }, NOON + 60_000);
  await fails(id, NOON - 15_000);
  // What ran before the pause ended does not count.
  expect(await pauseAllFailing(db, NOON)).toEqual([]);
  await fails(id, NOON - 5_000);
  await inside(db).run('update schedule set next_at = $1', [new Date(NOON - 1)]);
  expect(await pauseAllFailing(db, NOON)).toEqual([]);
  await inside(db).run('update schedule set next_at = $1', [new Date(NOON + 60_000)]);
  const [paused] = await pauseAllFailing(db, NOON);
  expect(paused?.paused).toMatchObject({ by: 'jetbeat', since: NOON });
});
