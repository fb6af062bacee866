import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { NOON } from '../database/sample.ts';
import { dispatchPass } from './dispatch.ts';
import { pauseAllFailing } from './failing-schedules.ts';
import { look } from './look.ts';
import { materializePass } from './materialize.ts';
import { retainOccurrences } from './retain-occurrences.ts';
import { deleteSchedule } from './schedules.ts';

let made: TestDatabase;
let db: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  // One connection, so that it can be told to say at once what it has read.
  db = await openDatabase({ url: made.url, applicationName: 'idle-pass-test', poolSize: 1 });
});
afterAll(async () => {
  await db?.close();
  await made?.drop();
});

/** What was read of each table since it was made. */
async function read(): Promise<Map<string, { scans: number; rows: number }>> {
  const sql = inside(db);
  await sql.run('select pg_stat_force_next_flush()');
  await sql.run('select 1');
  const rows = await sql.rows<{ name: string; scans: number; rows: number }>(
    `select relname as name, seq_scan::int as scans, coalesce(idx_tup_fetch, 0)::int as rows
     from pg_stat_user_tables where relname in ('schedule', 'occurrence')`,
  );
  return new Map(rows.map(({ name, ...counts }) => [name, counts]));
}

test('with 200,000 schedules a pass that has nothing to do looks into indexes, and reads next to no row', async () => {
  const sql = inside(db);
  const definition = '{"when": {"cron": "0 3 * * *"}, "job": {"task": "a", "input": {}}}';
  await sql.run(
    `insert into schedule (name, definition, next_at, paused_at)
     select 's' || n, '${definition}', $1::timestamptz + n * interval '1 s', case when n % 10 = 0 then $1::timestamptz end
     from generate_series(1, 200000) n`,
    [new Date(NOON + 1_000)],
  );
  await sql.run(
    `insert into occurrence (schedule_id, nominal_time, origin, state)
     select id, next_at - interval '1 day', 'plan', 'dispatched' from schedule where next_at < $1::timestamptz + interval '50000 s'`,
    [new Date(NOON)],
  );
  await sql.run('analyze schedule, occurrence');
  const before = await read();
  for (let index = 0; index < 3; index++) {
    const plan = () => expect.unreachable();
    expect(await materializePass(db, { now: NOON, limit: 250, plan })).toMatchObject({ schedules: 0 });
    const decide = () => expect.unreachable();
    expect(await dispatchPass(db, { now: NOON, limit: 500, recordedUpTo: 0, decide })).toMatchObject({
      looked: 0,
    });
    expect(await look(db)).toEqual({
      now: expect.any(Number),
      planAt: NOON + 2_000,
      buffered: false,
      waiting: false,
    });
    expect(await pauseAllFailing(db, NOON)).toEqual([]);
    expect(await retainOccurrences(db, { before: NOON - 90 * 86_400_000, limit: 1_000 })).toBe(0);
  }
  const after = await read();
  for (const name of ['schedule', 'occurrence']) {
    const [then, now] = [before.get(name), after.get(name)];
    expect([name, (now?.scans ?? 0) - (then?.scans ?? 0)]).toEqual([name, 0]);
    expect((now?.rows ?? 0) - (then?.rows ?? 0)).toBeLessThan(200);
  }
}, 60_000);

test('to delete a schedule reads what is to come, not its ledger', async () => {
  const sql = inside(db);
  const [row] = await sql.rows<{ id: string }>(
    `insert into schedule (name, definition) values ('busy', '{"when": {"every": 1000}, "job": {"task": "a", "input": {}}}') returning id`,
  );
  await sql.run(
    `insert into occurrence (schedule_id, nominal_time, origin, state)
     select $1, $2::timestamptz + n * interval '1 s', 'plan', case n when 1 then 'due' when 2 then 'buffered' else 'dispatched' end
     from generate_series(1, 20000) n`,
    [row?.id, new Date(NOON)],
  );
  await sql.run('analyze occurrence');
  const before = (await read()).get('occurrence');
  expect(await deleteSchedule(db, 'busy')).toBe(true);
  const after = (await read()).get('occurrence');
  expect((after?.scans ?? 0) - (before?.scans ?? 0)).toBe(0);
  expect((after?.rows ?? 0) - (before?.rows ?? 0)).toBeLessThan(100);
  const left = await sql.rows(`select from occurrence where schedule_id = $1 and state <> 'dispatched'`, [
    row?.id,
  ]);
  expect(left).toEqual([]);
}, 60_000);

test('a look reads next to nothing of a backfill that is to come', async () => {
  const sql = inside(db);
  await sql.run('truncate schedule, occurrence');
  const insert = `insert into occurrence (schedule_id, nominal_time, origin, state, dispatch_at, wait_until)
    select gen_random_uuid(), $1::timestamptz, 'backfill:1', 'due'`;
  await sql.run(`${insert}, now() + n * interval '1 h', null from generate_series(1, 5000) n`, [
    new Date(NOON),
  ]);
  await sql.run('analyze occurrence');
  const before = (await read()).get('occurrence');
  expect(await look(db)).toMatchObject({ dueAt: expect.any(Number), waiting: false });
  const after = (await read()).get('occurrence');
  expect((after?.scans ?? 0) - (before?.scans ?? 0)).toBe(0);
  expect((after?.rows ?? 0) - (before?.rows ?? 0)).toBeLessThan(100);
  await sql.run(`${insert}, now(), now() + interval '1 h'`, [new Date(NOON)]);
  expect(await look(db)).toMatchObject({ waiting: true });
});
