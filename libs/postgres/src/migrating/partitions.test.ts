import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { newId, sampleJob } from '../database/sample.ts';
import { getJob, insertJobs } from '../jobs/jobs.ts';
import { ensurePartitions } from './partitions.ts';

let made: TestDatabase;
let db: Database;
let other: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'partitions-test' });
  other = await openDatabase({ url: made.url, applicationName: 'partitions-test-other' });
});
afterAll(async () => {
  await db?.close();
  await other?.close();
  await made?.drop();
});

const DAY = 86_400_000;
const MAY = Date.UTC(2031, 4, 1);

async function tableOf(id: string) {
  const row = await inside(db).row<{ name: string }>(
    'select tableoid::regclass::text as name from job where id = $1',
    [id],
  );
  return row?.name;
}

test('days are made once, whoever asks, and take the jobs of their day', async () => {
  const ask = (to: Database) => ensurePartitions(to, { now: MAY + DAY / 2, daysAhead: 1 });
  const results = await Promise.all([ask(db), ask(other), ask(db)]);
  expect(results.flatMap(({ created }) => created).sort()).toEqual([
    ...['attempt_20310501', 'attempt_20310502', 'job_20310501', 'job_20310502'],
  ]);
  expect(await ask(db)).toEqual({ created: [], skipped: [] });
  const ids = [newId(MAY), newId(MAY + DAY - 1), newId(MAY + DAY), newId(MAY - 1), newId(MAY + 2 * DAY)];
  await insertJobs(
    db,
    ids.map((id) => sampleJob({ id })),
  );
  expect(await Promise.all(ids.map(tableOf))).toEqual([
    ...['job_20310501', 'job_20310501', 'job_20310502', 'job_default', 'job_default'],
  ]);
  expect(await getJob(db, ids[0] ?? '')).toMatchObject({ state: 'queued' });
});

test('a day whose rows are in the default partition stays there', async () => {
  const day = MAY + 10 * DAY;
  const id = newId(day + 5);
  await insertJobs(db, [sampleJob({ id })]);
  expect(await ensurePartitions(db, { now: day, daysAhead: 0 })).toEqual({
    created: ['attempt_20310511'],
    skipped: ['job_20310511'],
  });
  expect(await tableOf(id)).toBe('job_default');
});

test('a new day has every index of its parent', async () => {
  const day = MAY + 20 * DAY;
  await ensurePartitions(db, { now: day, daysAhead: 0 });
  const indexesOf = async (table: string) => {
    const sql = 'select count(*)::int as indexes from pg_index where indrelid = $1::regclass';
    return (await inside(db).row<{ indexes: number }>(sql, [table]))?.indexes;
  };
  const parent = await indexesOf('job');
  expect(parent).toBe(14);
  expect(await indexesOf('job_20310521')).toBe(parent);
});
