import { setTimeout as delay } from 'node:timers/promises';
import { type Database, inside } from '../database/database.ts';
import { DatabaseUnavailableError, toEntityError } from '../database/errors.ts';
import type { Sql } from '../database/sql.ts';
import {
  applyMigration,
  LOCK_TIMES,
  type LockTimes,
  type MigrateLog,
  pendingMigrations,
} from './apply-migration.ts';
import { advisoryHolder, type Blocker, describeBlocker } from './blockers.ts';
import { areIndexesBuilt } from './build-indexes.ts';
import { buildMissing } from './build-missing.ts';
import { MIGRATE_LOCK, migrateSession, tryLock, unlock } from './migrate-session.ts';
import { ensurePartitions } from './partitions.ts';

/** How migrating goes. Times in milliseconds. */
export interface MigrateOptions {
  readonly log?: MigrateLog;
  readonly locks?: LockTimes;
  /** How long it waits for another process that migrates. */
  readonly waitMs?: number;
  /** How long the build of an index waits for the transactions that were open before it. */
  readonly buildWaitMs?: number;
  /** Whoever calls this has no time to build the indexes of a history that is there already: they are left to `buildMissing`. */
  readonly leaveIndexes?: boolean;
}

/** As long as other migrations may wait for their locks. */
const WAIT_MS = 30 * 60_000;
const AGAIN_MS = 100;
/** How often it is told who is waited for. */
const TELL_MS = 15_000;

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
 * its start: one does the work, the others wait for it and find it done. For the indexes of a large history nobody waits but whoever
 * builds them. Whoever is killed in the middle leaves nothing that the next one could not go on with.
 * @throws DatabaseUnavailableError when PostgreSQL is away, or the wait was too long
 * @throws MigrationBlockedError when a long transaction of somebody else does not let it have its locks
 */
export async function migrate(db: Database, options: MigrateOptions = {}): Promise<void> {
  const { log = silent, locks: times = LOCK_TIMES, waitMs = WAIT_MS, leaveIndexes, buildWaitMs } = options;
  await migrateSession(db, async (sql) => {
    await takeLock(sql, { log, waitMs });
    try {
      // Of MikroORM, whose errors say less.
      const pending = await pendingMigrations(db).catch((error: unknown) => {
        throw toEntityError(error);
      });
      for (const name of pending) await applyMigration({ db, log, times }, name);
    } finally {
      await unlock(sql, MIGRATE_LOCK);
    }
  });
  if (!leaveIndexes || (await isEmpty(db)))
    await buildMissing(db, { log, locks: times, ...(buildWaitMs === undefined ? {} : { buildWaitMs }) });
  else if (!(await areIndexesBuilt(inside(db))))
    log.info({}, 'indexes of history are missing: a recorder builds them; some lists are slower until then');
  await ensurePartitions(db, { now: await databaseTime(db), daysAhead: 3 });
}

/** What has no history yet has its indexes at once. */
async function isEmpty(db: Database): Promise<boolean> {
  const row = await inside(db).row<{ empty: boolean }>('select not exists (select from job) as empty');
  return row?.empty === true;
}

async function takeLock(sql: Sql, { log, waitMs }: { log: MigrateLog; waitMs: number }): Promise<void> {
  const begun = performance.now();
  let tellAt = begun + TELL_MS;
  for (;;) {
    if (await tryLock(sql, MIGRATE_LOCK)) return;
    const now = performance.now();
    const holder = now > tellAt || now - begun > waitMs ? await advisoryHolder(sql, MIGRATE_LOCK) : undefined;
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
