import { setTimeout as delay } from 'node:timers/promises';
import {
  applyMigration,
  LOCK_TIMES,
  type LockTimes,
  type MigrateLog,
  pendingMigrations,
} from './apply-migration.ts';
import { advisoryHolder, type Blocker, describeBlocker } from './blockers.ts';
import { areIndexesBuilt, buildIndexes } from './build-indexes.ts';
import { type Database, inside } from './database.ts';
import { DatabaseUnavailableError, toEntityError } from './errors.ts';
import { ensurePartitions } from './partitions.ts';
import type { Sql } from './sql.ts';

/** How migrating goes. Times in milliseconds. */
export interface MigrateOptions {
  readonly log?: MigrateLog;
  readonly locks?: LockTimes;
  /** How long it waits for another process that migrates. */
  readonly waitMs?: number;
  /** How long the build of an index waits for the transactions that were open before it. */
  readonly buildWaitMs?: number;
}

/** Any number that nobody else takes: the letters "jetbeat" as one number. */
const LOCK = 30_225_475_164_135_796n;
/** Whoever builds indexes has it, and nobody waits for it; the number between is that of partitions. */
const BUILD_LOCK = LOCK + 2n;
/** As long as other migrations may wait for their locks. */
const WAIT_MS = 30 * 60_000;
const BUILD_WAIT_MS = 10 * 60_000;
/** One partition, or the wait for old transactions: the server is asked for nothing else meanwhile. */
const ANSWER_MS = 4 * 3_600_000;
const AGAIN_MS = 100;
/** How often it is told who is waited for. */
const TELL_MS = 15_000;
/** How soon the server notices that whoever migrates was killed, and gives up what it does for him. */
const CHECK_CLIENT_MS = 1_000;

const silent: MigrateLog = { info() {}, warn() {} };

/** PostgreSQL's clock, Unix milliseconds. */
export async function databaseTime(db: Database): Promise<number> {
  const row = await inside(db).row<{ now: number }>(
    'select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now',
  );
  return row?.now ?? Number.NaN;
}

/**
 * Brings the schema up to date and makes the partitions of these days, while other processes read and write. Every app calls it at
 * its start: one does the work, the others wait for it and find it done. For the indexes of a large history nobody waits but the one who
 * builds them: the others say who does, and go on. Whoever is killed in the middle leaves nothing that the next one could not go on with.
 * @throws DatabaseUnavailableError when PostgreSQL is away, or the wait was too long
 * @throws MigrationBlockedError when a long transaction of somebody else does not let it have its locks
 */
export async function migrate(db: Database, options: MigrateOptions = {}): Promise<void> {
  const { log = silent, locks: times = LOCK_TIMES, waitMs = WAIT_MS, buildWaitMs = BUILD_WAIT_MS } = options;
  const work = async (sql: Sql) => {
    await takeLock(sql, { log, waitMs });
    try {
      // Of MikroORM, whose errors say less.
      const pending = await pendingMigrations(db).catch((error: unknown) => {
        throw toEntityError(error);
      });
      for (const name of pending) await applyMigration({ db, log, times }, name);
    } finally {
      await unlock(sql, LOCK);
    }
    if (await areIndexesBuilt(sql)) return;
    if (!(await tryLock(sql, BUILD_LOCK))) {
      const holder = await advisoryHolder(sql, BUILD_LOCK);
      const by = holder ? describeBlocker(holder) : 'another process';
      return log.info(
        { by },
        'indexes of history are being built by another process; this one starts without them',
      );
    }
    try {
      await sql.run(`set statement_timeout = 0; set lock_timeout = ${buildWaitMs}`);
      await buildIndexes({ db, sql, log, times, buildWaitMs });
    } finally {
      await unlock(sql, BUILD_LOCK);
    }
  };
  await inside(db).session(
    async (sql) => {
      await noticeDeath(sql);
      try {
        await work(sql);
      } finally {
        await sql.run('reset statement_timeout; reset lock_timeout; reset client_connection_check_interval');
      }
    },
    { answerMs: ANSWER_MS },
  );
  await ensurePartitions(db, { now: await databaseTime(db), daysAhead: 3 });
}

/** Else the server would go on for somebody who is not there any more, and keep the lock. It cannot do this on every system. */
async function noticeDeath(sql: Sql): Promise<void> {
  await sql.run(`set client_connection_check_interval = ${CHECK_CLIENT_MS}`).catch(() => {});
}

async function tryLock(sql: Sql, lock: bigint): Promise<boolean> {
  const row = await sql.row<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [lock]);
  return row?.got === true;
}

async function unlock(sql: Sql, lock: bigint): Promise<void> {
  await sql.run('select pg_advisory_unlock($1)', [lock]);
}

async function takeLock(sql: Sql, { log, waitMs }: { log: MigrateLog; waitMs: number }): Promise<void> {
  const begun = performance.now();
  let tellAt = begun + TELL_MS;
  for (;;) {
    if (await tryLock(sql, LOCK)) return;
    const now = performance.now();
    const holder = now > tellAt || now - begun > waitMs ? await advisoryHolder(sql, LOCK) : undefined;
    if (now - begun > waitMs) throw new DatabaseUnavailableError(waitedFor(holder, now - begun));
    if (now > tellAt) {
      log.info({ ...holder }, 'another process migrates the database; waiting for it');
      tellAt = now + TELL_MS;
    }
    await delay(AGAIN_MS);
  }
}

function waitedFor(holder: Blocker | undefined, ms: number): string {
  const who = holder ? describeBlocker(holder) : 'another process';
  return `${who} has been migrating the database for ${Math.round(ms / 1_000)} s: wait until it is done and start again, or end it`;
}
