import { createHash } from 'node:crypto';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { createSearchGate, type SearchGate } from '../jobs/search-gate.ts';
import { isAnswer, isRepeatable, toDatabaseError, toEntityError, unavailable } from './errors.ts';
import { type Answer, type Connection, type How, type Sql, sqlOver } from './sql.ts';

/** An open database. It holds no connection of its own: every call takes one of the pool, which recovers by itself. */
export interface Database {
  /** One round trip. Throws DatabaseUnavailableError within seconds when PostgreSQL is away. */
  ping(): Promise<void>;
  /** How many calls wait for a connection of the pool, and for how many milliseconds the first of them has. */
  queueing(): { readonly count: number; readonly oldestMs: number };
  /** Waits for what is running (5 s at most) and closes every connection; twice is safe. */
  close(): Promise<void>;
}

/** The pool of the driver, as MikroORM has made it. */
export interface Pool {
  connect(): Promise<Connection>;
  end(): Promise<void>;
  /** The class of its connections. */
  readonly Client?: unknown;
  /** `end` was called. */
  readonly ending: boolean;
}

/** What `openDatabase` has put together. */
export interface DatabaseParts {
  readonly orm: MikroORM;
  readonly pool: Pool;
  readonly close: () => Promise<void>;
}

const DURABLE = { durable: () => true };
/** How often a transaction is run again when it lost against another one. */
const TRIES = 4;

/** The inside of a `Database`: statements, transactions and entities over one pool. */
export class PostgresDatabase implements Database, Sql {
  readonly orm: MikroORM;
  readonly rows: Sql['rows'];
  readonly row: Sql['row'];
  readonly run: Sql['run'];
  /** What looks into many jobs goes through it, a statement at a time. */
  readonly searches: SearchGate = createSearchGate();
  readonly #pool: Pool;
  readonly #close: () => Promise<void>;
  /** Since when each call waits for a connection, the first come first. */
  readonly #waiting = new Set<{ readonly since: number }>();
  #closing: Promise<void> | undefined;

  constructor(parts: DatabaseParts) {
    this.orm = parts.orm;
    this.#pool = parts.pool;
    this.#close = parts.close;
    const single = sqlOver((text, values, how) => this.#lend((lent) => ask(lent, text, values, how)));
    this.rows = single.rows;
    this.row = single.row;
    this.run = single.run;
  }

  async ping(): Promise<void> {
    await this.run('select 1');
  }

  queueing(): { readonly count: number; readonly oldestMs: number } {
    const [first] = this.#waiting;
    return { count: this.#waiting.size, oldestMs: first ? performance.now() - first.since : 0 };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Runs `fn` in one transaction (read committed). It is run again when it lost against another transaction, so it must
   * do nothing but SQL.
   * @param options.durable false: it may be lost with a crash of the server, up to the commit of any later transaction. For
   *   what is not answered to anybody, and would be worked out again just the same
   */
  transaction<T>(
    fn: (sql: Sql) => Promise<T>,
    options: { durable: (value: T) => boolean } = DURABLE,
  ): Promise<T> {
    return this.#lend(async (lent) => {
      const sql = sqlOver((text, values, how) => ask(lent, text, values, how));
      await sql.run('begin');
      try {
        const value = await fn(sql);
        await sql.run(options.durable(value) ? 'commit' : 'set local synchronous_commit = off; commit');
        return value;
      } catch (error) {
        if (!lent.lost) await sql.run('rollback').catch(() => undefined);
        throw error;
      }
    });
  }

  /**
   * Runs `fn` on one connection, for what belongs to a session.
   * @param options.answerMs how long one answer may take; else as of every connection
   */
  session<T>(fn: (sql: Sql) => Promise<T>, options: { answerMs?: number } = {}): Promise<T> {
    return this.#lend((lent) => fn(sqlOver((text, values) => ask(lent, text, values, options))));
  }

  /** Runs `fn` with an entity manager of its own. */
  async entities<T>(fn: (em: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await fn(this.orm.em.fork());
    } catch (error) {
      throw toEntityError(error);
    }
  }

  async #connect(): Promise<Connection> {
    const waiting = { since: performance.now() };
    this.#waiting.add(waiting);
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw unavailable(error);
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  async #lend<T>(fn: (lent: Lent) => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      const connection = await this.#connect();
      const lent: Lent = { connection, lost: undefined };
      try {
        return await fn(lent);
      } catch (error) {
        if (lent.lost) throw unavailable(lent.lost);
        if (!isRepeatable(error) || tried === TRIES) throw toDatabaseError(error);
      } finally {
        connection.release(lent.lost);
      }
    }
  }
}

/** A connection while it is lent, and what broke it. */
interface Lent {
  readonly connection: Connection;
  lost: Error | undefined;
}

async function ask(
  lent: Lent,
  text: string,
  values: readonly unknown[],
  { prepared = false, answerMs }: How & { readonly answerMs?: number },
): Promise<Answer> {
  try {
    return await lent.connection.query({
      text,
      values: [...values],
      ...(prepared ? { name: nameOf(text) } : {}),
      ...(answerMs === undefined ? {} : { query_timeout: answerMs }),
    });
  } catch (error) {
    if (!isAnswer(error)) lent.lost = error instanceof Error ? error : new Error(String(error));
    throw error;
  }
}

/** The name under which connections keep a statement. */
function nameOf(text: string): string {
  return `jetbeat_${createHash('sha1').update(text).digest('hex')}`;
}

/** The inside of a handle that `openDatabase` gave out. */
export function inside(db: Database): PostgresDatabase {
  if (db instanceof PostgresDatabase) return db;
  throw new TypeError('this is no database that openDatabase has opened');
}
