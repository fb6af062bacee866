import { type ChildProcess, spawn } from 'node:child_process';
import { expect } from 'vitest';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { NOON, newId } from '../database/sample.ts';
import { migrate } from './migrate.ts';
import { ensurePartitions } from './partitions.ts';

const opened: { close(): Promise<void> }[] = [];
const children: ChildProcess[] = [];

/** Ends what a test has begun. */
export async function endAll(): Promise<void> {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(opened.splice(0).map((one) => one.close()));
}

/** Opens it until the test ends. */
export async function open(url: string, applicationName = 'migrate-test'): Promise<Database> {
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
export async function oldDatabase(): Promise<{ db: Database; url: string; ids: string[] }> {
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
export async function catalog(db: Database): Promise<unknown> {
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

/** The same schema as `oldDatabase` comes to, made at once, with the same days. */
export async function freshCatalog(): Promise<unknown> {
  const { db } = await emptyDatabase();
  // Without a history there is nothing to leave.
  await migrate(db, { leaveIndexes: true });
  await ensurePartitions(db, { now: NOON, daysAhead: 1 });
  return catalog(db);
}

/** A process of its own that migrates. */
export function migrating(url: string): ChildProcess {
  const script = `import { migrate, openDatabase } from '@jetbeat/postgres';
    const db = await openDatabase({ url: process.env.URL, applicationName: 'migrating' });
    await migrate(db);
    await db.close();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    env: { ...process.env, URL: url },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  return child;
}

/** Waits until a session of that name does something. */
export const untilRuns = (db: Database, application: string, what: string) =>
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
export async function reader(
  url: string,
  statement = 'select count(*) from job',
): Promise<() => Promise<void>> {
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
