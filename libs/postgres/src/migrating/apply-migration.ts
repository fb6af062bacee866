import { setTimeout as delay } from 'node:timers/promises';
import { type Database, inside } from '../database/database.ts';
import { isLockTimeout, MigrationBlockedError } from '../database/errors.ts';
import type { Sql } from '../database/sql.ts';
import { migrations } from '../migrations/all.ts';
import { type Blocker, describeBlocker, watchBlockers } from './blockers.ts';

/** Told of what takes long. */
export interface MigrateLog {
  info(data: object, text: string): void;
  warn(data: object, text: string): void;
}

/** How a statement gets its lock. Times in milliseconds. */
export interface LockTimes {
  /** Everybody else waits behind whoever waits for a lock of a table, so it is given up so soon, and tried again. */
  readonly lockMs: number;
  /** One statement takes no longer, its locks included. */
  readonly statementMs: number;
  /** Pause between two tries, at least; twice that at most. */
  readonly againMs: number;
  /** How long it is tried. */
  readonly giveUpMs: number;
}

/** What holds outside of tests. */
export const LOCK_TIMES: LockTimes = {
  lockMs: 1_000,
  statementMs: 10_000,
  againMs: 1_000,
  giveUpMs: 120_000,
};

/** What is done in short transactions. */
export interface Briefly {
  readonly db: Database;
  readonly log: MigrateLog;
  readonly times: LockTimes;
}

/** The migrations that have not been applied, in their order. */
export async function pendingMigrations(db: Database): Promise<string[]> {
  const pending = await inside(db).orm.migrator.getPending();
  return pending.map(({ name }) => name);
}

/**
 * Applies one migration and notes it, in one transaction.
 * @throws MigrationBlockedError when others do not let go of its tables
 */
export async function applyMigration(briefly: Briefly, name: string): Promise<void> {
  const { orm } = inside(briefly.db);
  const made = migrations.map((Each) => new Each(orm.driver, orm.config));
  const migration = made.find((one) => one.name === name);
  if (!migration) throw new RangeError(`there is no migration ${name}`);
  await migration.up();
  const statements = migration.getQueries().map(String);
  await brieflyLocked(briefly, `the migration ${name}`, [
    ...statements.map((text) => ({ text })),
    { text: 'insert into migration (name) values ($1)', values: [name] },
  ]);
}

/**
 * Runs statements that need locks of tables in one transaction. None waits long for a lock, since whoever wants to write waits behind
 * it; the whole is tried again instead.
 * @throws MigrationBlockedError
 */
export async function brieflyLocked(
  { db, log, times }: Briefly,
  what: string,
  statements: readonly { readonly text: string; readonly values?: readonly unknown[] }[],
): Promise<void> {
  const { lockMs, statementMs, againMs, giveUpMs } = times;
  const giveUpAt = performance.now() + giveUpMs;
  let at = '';
  let blockers: readonly Blocker[] = [];
  const run = async (sql: Sql) => {
    await sql.run(`set local lock_timeout = ${lockMs}; set local statement_timeout = ${statementMs}`);
    for (const { text, values } of statements) {
      at = text;
      await sql.run(text, values);
    }
  };
  for (;;) {
    try {
      await inside(db).transaction((sql) =>
        watchBlockers(db, { sql, act: () => run(sql), onBlocked: (found) => (blockers = found) }),
      );
      return;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (performance.now() > giveUpAt) throw blocked({ what, at, blockers, forMs: giveUpMs });
      log.warn(
        { statement: at, waitsFor: blockers.map(describeBlocker) },
        `${what} has to wait for a lock; trying again`,
      );
    }
    await delay(againMs * (1 + Math.random()));
  }
}

/** Says what waited for what, and what to do. */
export function blocked(params: {
  what: string;
  at: string;
  blockers: readonly Blocker[];
  forMs: number;
}): MigrationBlockedError {
  const { what, at, blockers, forMs } = params;
  const who = blockers.length > 0 ? blockers.map(describeBlocker).join(', and ') : 'others';
  const ends = blockers.map(({ pid }) => `select pg_terminate_backend(${pid})`).join('; ');
  const how = ends === '' ? 'see pg_stat_activity for long transactions' : `end it (${ends})`;
  const text = at.replace(/\s+/g, ' ').trim().slice(0, 200);
  return new MigrationBlockedError(
    `${what} has waited for ${Math.round(forMs / 1_000)} s: "${text}" needs a lock of ${who}; wait until that is over, or ${how}, and start again: what is done stays done`,
  );
}
