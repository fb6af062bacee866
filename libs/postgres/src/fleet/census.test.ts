import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { heartbeat, NOON, newId, sampleJob, sampleSpec } from '../database/sample.ts';
import { recordChanges } from '../history/record.ts';
import { insertJobs } from '../jobs/jobs.ts';
import { createSchedule } from '../schedules/schedules.ts';
import { takeCensus } from './census.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('census-test');
  db = made.db;
  return made.drop;
});

const hear = (worker: string, now: number, state: 'running' | 'stopped' = 'running') =>
  recordChanges(db, { changes: { jobs: [], attempts: [] }, workers: [heartbeat({ worker, state })], now });
const make = (name: string) =>
  createSchedule(db, { id: newId(), name, definition: sampleSpec(name), cursor: NOON, now: NOON });

test('workers, open jobs and schedules, each by state', async () => {
  const empty = await takeCensus(db, { now: NOON, within: 30_000 });
  expect(empty.workers).toEqual({ running: 0, silent: 0, stopped: 0 });
  expect(empty.schedules).toEqual({ active: 0, paused: 0 });
  expect(empty.jobs.map(({ jobs }) => jobs)).toEqual(empty.jobs.map(() => 0));
  expect(empty.jobs.map(({ state }) => state)).not.toContain('succeeded');

  await hear('alive', NOON);
  await hear('silent', NOON - 60_000);
  await hear('gone', NOON - 60_000, 'stopped');
  await hear('forgotten', NOON - 2 * 86_400_000);
  await Promise.all([make('a'), make('b'), make('c')]);
  await inside(db).run(`update schedule set paused_at = now() where name = 'b'`);
  const jobs = Array.from({ length: 5 }, () => sampleJob({ id: newId() }));
  await insertJobs(db, jobs);
  await inside(db).run(`update job set state = 'succeeded', finished_at = now() where id = $1`, [
    jobs[0]?.envelope.id,
  ]);

  const census = await takeCensus(db, { now: NOON, within: 30_000 });
  expect(census.workers).toEqual({ running: 1, silent: 1, stopped: 1 });
  expect(census.schedules).toEqual({ active: 2, paused: 1 });
  expect(census.jobs.filter((row) => row.jobs > 0)).toEqual([{ state: 'queued', jobs: 4 }]);
});

test('a state with very many jobs is counted up to the bound, and quickly', async () => {
  await inside(
    db,
  ).run(`insert into job (id, task, queue, priority, state, position, attempt, run, parks, created_at, run_at,
      due_at, check_at, published, input_known, origin)
    select gen_random_uuid(), 't', 'q', 'normal', 'scheduled', 1, 1, 1, 0, now(), now(), now(), now(), true, true, 'client'
    from generate_series(1, 20000)`);
  const census = await takeCensus(db, { now: NOON, within: 30_000 });
  expect(census.jobs).toContainEqual({ state: 'scheduled', jobs: 10_000 });
});
