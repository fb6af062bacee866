import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../../../test/support/database.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';
import type { LockTimes } from './apply-migration.ts';
import { type Database, inside } from './database.ts';
import { getJob, insertJobs } from './jobs.ts';
import { migrate } from './migrate.ts';
import { historyIndexes } from './migrations/history-indexes.ts';
import { openDatabase } from './open.ts';
import { ensurePartitions } from './partitions.ts';
import { NOON, newId, sampleJob } from './sample.ts';

const opened: { close(): Promise<void> }[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

async function open(url: string, applicationName = 'migrate-test'): Promise<Database> {
  const db = await openDatabase({ url, applicationName });
  opened.push(db);
  return db;
}

async function emptyDatabase(): Promise<{ db: Database; url: string }> {
  const { url, drop } = await createTestDatabase({ migrated: false });
  const db = await open(url);
  opened.push({ close: drop });
  return { db, url };
}

/** The first schema, as its installations have it, with two days of jobs. */
async function oldDatabase(): Promise<{ db: Database; url: string; ids: string[] }> {
  const { db, url } = await emptyDatabase();
  await inside(db).orm.migrator.up({ to: '0001-initial' });
  await ensurePartitions(db, { now: NOON, daysAhead: 1 });
  const ids = [newId(NOON), newId(NOON + DAY), newId(NOON - 40 * DAY)];
  for (const id of ids)
    await inside(db).run(
      `insert into job (id, task, queue, priority, state, "position", attempt, run, parks, created_at, run_at, due_at, check_at,
        published, input_known, origin)
      values ($1, 'a.b', 'default', 'normal', 'dead', 1, 1, 1, 0, now(), now(), now(), now(), true, true, 'api')`,
      [id],
    );
  return { db, url, ids };
}

const DAY = 86_400_000;

/** All that the schema is, apart from the names of what belongs to one partition. */
async function catalog(db: Database): Promise<unknown> {
  const sql = inside(db);
  const columns =
    await sql.rows(`select c.relname as "table", c.relkind as kind, a.attnum as position, a.attname as "column",
      format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required, pg_get_expr(d.adbin, d.adrelid) as "default"
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1, 3`);
  const indexes =
    await sql.rows(`select t.relname as "table", coalesce(p.inhparent::regclass::text, c.relname) as name,
      i.indisvalid as valid, i.indisready as ready, i.indisunique as "unique",
      regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX \\S+ ON', 'INDEX ON') as definition
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
      left join pg_inherits p on p.inhrelid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace order by 1, 2`);
  const constraints =
    await sql.rows(`select conrelid::regclass::text as "table", contype as type, pg_get_constraintdef(oid) as definition
    from pg_constraint where connamespace = 'public'::regnamespace order by 1, 3`);
  const migrations = await sql.rows('select name from migration order by id');
  return { columns, indexes, constraints, migrations };
}

/** The same schema, made at once, with the same days. */
let fresh: unknown;
beforeAll(async () => {
  const { db } = await emptyDatabase();
  await migrate(db);
  await ensurePartitions(db, { now: NOON, daysAhead: 1 });
  fresh = await catalog(db);
});

/** A process of its own that migrates. */
function migrating(url: string): ChildProcess {
  const script = `import { migrate, openDatabase } from '@jetbeat/postgres';
    const db = await openDatabase({ url: process.env.URL, applicationName: 'migrating' });
    await migrate(db);
    await db.close();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    ...{ cwd: import.meta.dirname, env: { ...process.env, URL: url } },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  return child;
}

/** Waits until a session of that name does something. */
const untilRuns = (db: Database, application: string, what: string) =>
  expect
    .poll(
      async () =>
        (
          await inside(db).rows<{ query: string }>(
            `select query from pg_stat_activity where application_name like $1 and state = 'active' and query like $2`,
            [application, what],
          )
        ).length,
      { timeout: 20_000, interval: 20 },
    )
    .toBeGreaterThan(0);

/** A transaction of somebody else that has read and goes on; ends with the returned function. */
async function reader(url: string, statement = 'select count(*) from job'): Promise<() => Promise<void>> {
  const db = await open(url, 'reader');
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const reading = inside(db).transaction(async (sql) => {
    await sql.run('set transaction isolation level repeatable read');
    await sql.run(statement);
    begun.resolve();
    await end.promise;
  });
  await begun.promise;
  return async () => {
    end.resolve();
    await reading;
  };
}

test('an installation of the first version comes to the schema of a fresh one, and keeps its jobs', async () => {
  const { db, ids } = await oldDatabase();
  await migrate(db);
  expect(await catalog(db)).toEqual(fresh);
  for (const id of ids) expect(await getJob(db, id)).toMatchObject({ id, state: 'dead', task: 'a.b' });
  await insertJobs(db, [sampleJob()]);
});

test('an installation whose migrations made the indexes themselves stays as it is', async () => {
  const { db } = await oldDatabase();
  await inside(db).orm.migrator.up({ to: '0006-unique' });
  for (const { name, table, on } of historyIndexes)
    await inside(db).run(`create index ${name} on ${table} ${on}`);
  const oids = () =>
    inside(db).rows(
      `select indexrelid as oid from pg_index join pg_class on pg_class.oid = indrelid where relname ~ '^(job|attempt)'`,
    );
  const before = await oids();
  await migrate(db);
  expect(before.length).toBeGreaterThan(historyIndexes.length);
  expect(await oids()).toEqual(expect.arrayContaining(before));
  expect(await catalog(db)).toEqual(fresh);
});

test('one migrates and the others wait; who is killed in the middle is followed by another, who builds anew what was half built', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url, 'select 1 from pg_class');
  const killed = migrating(url);
  // It waits for a transaction that was open before.
  await untilRuns(db, 'migrating', 'create index concurrently%');
  const hasty = await migrate(await open(url, 'hasty'), { waitMs: 50 }).catch((error: unknown) => error);
  expect(hasty).toMatchObject({
    code: 'database_unavailable',
    message: expect.stringMatching(/^process \d+ of PostgreSQL \(migrating, active .*wait until it is done/),
  });
  const half = await untilHalfBuilt(db, []);
  expect(half).toMatchObject([{ name: 'job_20260301_expires' }]);
  const others = Promise.all(['next-1', 'next-2'].map(async (name) => migrate(await open(url, name))));
  // What fails before they have ended is said first.
  others.catch(() => {});
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(await untilHalfBuilt(db, half)).toMatchObject([{ name: 'job_20260301_expires' }]);
  await end();
  await others;
  expect(await invalidIndexes(db)).toEqual([]);
  expect(await catalog(db)).toEqual(fresh);
}, 60_000);

const invalidIndexes = (db: Database) =>
  inside(db).rows(
    `select indexrelid as id, relname as name from pg_index join pg_class on pg_class.oid = indexrelid where not indisvalid and relkind = 'i'`,
  );

/** Waits until there is another index half built than those: the statement runs for a moment before its index is seen. */
const untilHalfBuilt = (db: Database, before: readonly unknown[]) =>
  waitUntil('an index that is half built', async () => {
    const now = await invalidIndexes(db);
    return now.length > 0 && !isDeepStrictEqual(now, before) && now;
  });

const locks: LockTimes = { lockMs: 500, statementMs: 2_000, againMs: 50, giveUpMs: 1_500 };

test('a lock that somebody keeps is given up again and again, so that writers go on; the error says whose it is', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url);
  const warned: object[] = [];
  const log = { info() {}, warn: (data: object) => warned.push(data) };
  const done = new AbortController();
  const slowest = insertUntil(await open(url, 'writer'), done.signal).catch(() => Number.NaN);
  const failed = await migrate(db, { log, locks }).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: 'migration_blocked',
    message: expect.stringMatching(
      /^the migration 0002-expiry has waited for 2 s: "alter table job add column expires_at timestamptz" needs a lock of process \d+ of PostgreSQL \(reader, idle in transaction for \d+ s: select count\(\*\) from job\); wait until that is over, or end it \(select pg_terminate_backend\(\d+\)\), and start again/,
    ),
  });
  expect(warned.length).toBeGreaterThan(1);
  await end();
  await migrate(db, { log, locks });
  done.abort();
  // Far from what the reader has kept the lock.
  expect(await slowest).toBeLessThan(1_500);
  expect(await catalog(db)).toEqual(fresh);
}, 60_000);

test('an index that has to wait too long for old transactions is told of too, and built the next time', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url, 'select 1 from pg_class');
  const failed = await migrate(db, { buildWaitMs: 900 }).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: 'migration_blocked',
    message: expect.stringMatching(
      /^the index job_expires has .* needs a lock of process \d+ of PostgreSQL \(reader, /,
    ),
  });
  await end();
  await migrate(db);
  expect(await catalog(db)).toEqual(fresh);
  // What the session was set to is not left to whoever gets its connection.
  const left = await Promise.all(
    Array.from({ length: 5 }, () =>
      inside(db).row('select current_setting($1) as value', ['statement_timeout']),
    ),
  );
  expect(left).toEqual(Array(5).fill({ value: '15s' }));
}, 60_000);

/** Writes one job after the other. Returns how long the slowest took, milliseconds. */
async function insertUntil(db: Database, signal: AbortSignal): Promise<number> {
  let slowest = 0;
  while (!signal.aborted) {
    const begun = performance.now();
    await inside(db).run(
      `insert into job (id, task, queue, priority, state, "position", attempt, run, parks, created_at, run_at, due_at, check_at,
        published, input_known, origin)
      values ($1, 'a.b', 'default', 'normal', 'dead', 1, 1, 1, 0, now(), now(), now(), now(), true, true, 'api')`,
      [newId(NOON)],
    );
    slowest = Math.max(slowest, performance.now() - begun);
  }
  return slowest;
}
