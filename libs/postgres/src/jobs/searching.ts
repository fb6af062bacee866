import { type Database, inside } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';

/** The same as `within` for those who ask: only a few at once. Throws SearchRefusedError `too_many_searches`. */
export function searching<T>(db: Database, ms: number, fn: (sql: Sql) => Promise<T>): Promise<T> {
  return inside(db).searches(() => within(db, ms, fn));
}

/** Runs `fn` in a transaction of its own, in which a statement is given up after so many milliseconds. */
export function within<T>(db: Database, ms: number, fn: (sql: Sql) => Promise<T>): Promise<T> {
  return inside(db).transaction(async (sql) => {
    await sql.run(`set local statement_timeout = ${ms}`);
    return fn(sql);
  });
}
