import { type Database, inside } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';

/** Whoever migrates has it: any number that nobody else takes, the letters "jetbeat" as one number. */
export const MIGRATE_LOCK = 30_225_475_164_135_796n;
/** Whoever builds indexes has it, and nobody waits for it; the number between is that of partitions. */
export const BUILD_LOCK = MIGRATE_LOCK + 2n;
/** One partition, or the wait for old transactions: the server is asked for nothing else meanwhile. */
const ANSWER_MS = 4 * 3_600_000;
/** How soon the server notices that whoever migrates was killed, and gives up what it does for him. */
const CHECK_CLIENT_MS = 1_000;

/**
 * Runs `work` in a session of its own, in which a statement may take hours; what it sets there is not left to whoever gets the connection.
 * @throws DatabaseUnavailableError
 */
export function migrateSession<T>(db: Database, work: (sql: Sql) => Promise<T>): Promise<T> {
  return inside(db).session(
    async (sql) => {
      await noticeDeath(sql);
      try {
        return await work(sql);
      } finally {
        await sql.run('reset statement_timeout; reset lock_timeout; reset client_connection_check_interval');
      }
    },
    { answerMs: ANSWER_MS },
  );
}

/** Takes a lock of the session if nobody has it. */
export async function tryLock(sql: Sql, lock: bigint): Promise<boolean> {
  const row = await sql.row<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [lock]);
  return row?.got === true;
}

/** Gives it back. */
export async function unlock(sql: Sql, lock: bigint): Promise<void> {
  await sql.run('select pg_advisory_unlock($1)', [lock]);
}

/** Else the server would go on for somebody who is not there any more, and keep the lock. It cannot do this on every system. */
async function noticeDeath(sql: Sql): Promise<void> {
  await sql.run(`set client_connection_check_interval = ${CHECK_CLIENT_MS}`).catch(() => {});
}
