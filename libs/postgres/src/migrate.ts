import { setTimeout as delay } from 'node:timers/promises';
import { type Database, inside } from './database.ts';
import { DatabaseUnavailableError, toEntityError } from './errors.ts';
import { ensurePartitions } from './partitions.ts';
import type { Sql } from './sql.ts';

/** Any number that nobody else takes: the letters "jetbeat" as one number. */
const LOCK = 30_225_475_164_135_796n;
const WAIT_MS = 60_000;
const AGAIN_MS = 100;

/** PostgreSQL's clock, Unix milliseconds. */
export async function databaseTime(db: Database): Promise<number> {
  const row = await inside(db).row<{ now: number }>(
    'select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now',
  );
  return row?.now ?? Number.NaN;
}

/**
 * Brings the schema up to date and makes the partitions of these days. Every app calls it at its start: one does the
 * work, the others wait for it, 60 s at most.
 * @throws DatabaseUnavailableError when the wait was too long
 */
export async function migrate(db: Database): Promise<void> {
  await inside(db).session(async (sql) => {
    await takeLock(sql);
    try {
      await inside(db).orm.migrator.up();
    } catch (error) {
      throw toEntityError(error);
    } finally {
      await sql.run('select pg_advisory_unlock($1)', [LOCK]);
    }
  });
  await ensurePartitions(db, { now: await databaseTime(db), daysAhead: 3 });
}

async function takeLock(sql: Sql): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const row = await sql.row<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [LOCK]);
    if (row?.got) return;
    if (performance.now() > deadline) {
      throw new DatabaseUnavailableError(
        'another process has been migrating the database for 60 s: end it, or wait and start again',
      );
    }
    await delay(AGAIN_MS);
  }
}
