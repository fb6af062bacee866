import { type Database, inside } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { LOCK_TIMES, type LockTimes, type MigrateLog } from './apply-migration.ts';
import { advisoryHolder, describeBlocker } from './blockers.ts';
import { areIndexesBuilt, buildIndexes } from './build-indexes.ts';
import { BUILD_LOCK, migrateSession, tryLock, unlock } from './migrate-session.ts';

/** How it goes. Times in milliseconds. */
export interface BuildMissingOptions {
  readonly log?: MigrateLog;
  readonly locks?: LockTimes;
  /** How long a build waits for the transactions that were open before it. */
  readonly buildWaitMs?: number;
  /** Ends it: what is being built is given up, and built anew the next time. */
  readonly signal?: AbortSignal;
}

/** What it found. `elsewhere`: another process builds, nobody waits for it. */
export type BuiltMissing = 'built' | 'elsewhere' | 'stopped';

const BUILD_WAIT_MS = 10 * 60_000;
/** A cancel may come before the statement that it is meant for. */
const CANCEL_EVERY_MS = 100;

const silent: MigrateLog = { info() {}, warn() {} };

/**
 * Builds the indexes of history that are missing, unless another process does. It goes on where one has left off that was ended.
 * @throws MigrationBlockedError when a transaction of somebody else stays open for too long; DatabaseUnavailableError
 */
export async function buildMissing(db: Database, options: BuildMissingOptions = {}): Promise<BuiltMissing> {
  const { log = silent, locks: times = LOCK_TIMES, buildWaitMs = BUILD_WAIT_MS, signal } = options;
  if (await areIndexesBuilt(inside(db))) return 'built';
  const build = async (sql: Sql): Promise<BuiltMissing> => {
    if (!(await tryLock(sql, BUILD_LOCK))) {
      const holder = await advisoryHolder(sql, BUILD_LOCK);
      const by = holder ? describeBlocker(holder) : 'another process';
      log.info(
        { by },
        'indexes of history are being built by another process; this one goes on without them',
      );
      return 'elsewhere';
    }
    const stopCancel = signal && (await cancelOn(signal, db, sql));
    try {
      await sql.run(`set statement_timeout = 0; set lock_timeout = ${buildWaitMs}`);
      await buildIndexes({ db, sql, log, times, buildWaitMs });
    } catch (error) {
      if (!signal?.aborted) throw error;
      return 'stopped';
    } finally {
      await stopCancel?.();
      await unlock(sql, BUILD_LOCK);
    }
    return 'built';
  };
  return signal?.aborted ? 'stopped' : migrateSession(db, build);
}

/** Cancels what the session does, from when the signal aborts until the function that it returns was called. */
async function cancelOn(signal: AbortSignal, db: Database, sql: Sql): Promise<() => Promise<void>> {
  const row = await sql.row<{ pid: number }>('select pg_backend_pid() as pid');
  let timer: NodeJS.Timeout | undefined;
  let asked: Promise<unknown> = Promise.resolve();
  const cancel = () => {
    asked = inside(db)
      .run('select pg_cancel_backend($1)', [row?.pid])
      .catch(() => {});
  };
  const begin = () => {
    cancel();
    timer = setInterval(cancel, CANCEL_EVERY_MS);
  };
  signal.addEventListener('abort', begin, { once: true });
  return async () => {
    signal.removeEventListener('abort', begin);
    clearInterval(timer);
    // Not later, or it would hit what the connection is used for then.
    await asked;
  };
}
