import { setTimeout as delay } from 'node:timers/promises';
import { type Database, inside } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';

/** A session of PostgreSQL for whose end, or the end of its transaction, another one waits. */
export interface Blocker {
  readonly pid: number;
  readonly application: string;
  /** As `pg_stat_activity` has it, e.g. `idle in transaction`. */
  readonly state: string;
  /** What it runs, or has run last. */
  readonly query: string;
  /** How long its transaction has been open, in seconds. */
  readonly seconds: number;
}

const SELECT = `select pid, coalesce(application_name, '') as application, coalesce(state, backend_type) as state, left(query, 200) as query,
    coalesce(extract(epoch from clock_timestamp() - coalesce(xact_start, backend_start)), 0)::float8 as seconds
  from pg_stat_activity`;
const BLOCKERS = `${SELECT} where pid = any(pg_blocking_pids($1)) order by seconds desc limit 3`;
const HOLDER = `${SELECT} where pid in (select l.pid from pg_locks l where l.locktype = 'advisory' and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
    and (l.classid::bigint << 32) | l.objid::bigint = $1::bigint) limit 1`;

/** How soon and how often it is looked, milliseconds. */
const LOOK_MS = 200;

/**
 * Runs a statement of a session, and looks from another connection what the session waits for meanwhile.
 * @param params.onBlocked told again and again while it waits
 */
export async function watchBlockers<T>(
  db: Database,
  params: { sql: Sql; act: () => Promise<T>; onBlocked: (blockers: readonly Blocker[]) => void },
): Promise<T> {
  const { sql, act, onBlocked } = params;
  const own = await sql.row<{ pid: number }>('select pg_backend_pid() as pid');
  const done = new AbortController();
  const look = async () => {
    for (;;) {
      await delay(LOOK_MS, undefined, { signal: done.signal });
      const blockers = await inside(db).rows<Blocker>(BLOCKERS, [own?.pid]);
      if (blockers.length > 0 && !done.signal.aborted) onBlocked(blockers);
    }
  };
  // Whether anybody looks makes no difference to what is done.
  const looking = look().catch(() => {});
  try {
    return await act();
  } finally {
    done.abort();
    await looking;
  }
}

/** Who holds this advisory lock of the database. */
export async function advisoryHolder(sql: Sql, lock: bigint): Promise<Blocker | undefined> {
  return sql.row<Blocker>(HOLDER, [lock]);
}

/** Says who it is, and how to end it. */
export function describeBlocker({ pid, application, state, query, seconds }: Blocker): string {
  return `process ${pid} of PostgreSQL (${application || 'without a name'}, ${state} for ${Math.round(seconds)} s: ${query.replace(/\s+/g, ' ').trim()})`;
}
