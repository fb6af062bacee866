import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { migrations } from '../migrations/all.ts';
import { type Database, type Pool, PostgresDatabase } from './database.ts';
import { entities } from './entities.ts';
import { openSockets } from './sockets.ts';

/** How to reach PostgreSQL. */
export interface OpenDatabaseOptions {
  /** `postgres://user:password@host:port/database`, with the usual parameters such as `sslmode`. */
  readonly url: string;
  /** How the connections are named in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections at most; default 5. */
  readonly poolSize?: number;
  /** How long a statement may take that says nothing else, milliseconds; default 15 s. */
  readonly statementMs?: number;
  /** Given the driver before it is used, e.g. to make spans of its statements. `Client`: the class of its connections. */
  readonly instrument?: ((driver: { readonly Client: unknown }) => void) | undefined;
  /** Told of lost connections. */
  readonly log?: { warn(data: object, text: string): void };
}

/** Until a connection is there, and until a free one of the pool is. */
const CONNECT_TIMEOUT_MS = 5_000;
/** The server gives up a statement. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** We give up a statement: the server or the network is frozen. */
const ANSWER_TIMEOUT_MS = 20_000;
const IDLE_IN_TRANSACTION_MS = 30_000;
/**
 * No statement here is long enough to be compiled, and the planner believes that of what has a bound over many partitions: it would take
 * a part of a second anew each time. https://www.postgresql.org/docs/18/jit-decision.html
 */
const NO_JIT = '-c jit=off';

/** Opens a database. Nothing is connected yet: PostgreSQL may come later, and go and come again. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const sockets = openSockets((error) =>
    options.log?.warn({ err: error }, 'PostgreSQL closed a connection; the next call opens another one'),
  );
  const orm = new MikroORM({
    clientUrl: options.url,
    entities,
    extensions: [Migrator],
    migrations: {
      migrationsList: migrations,
      snapshot: false,
      silent: true,
      tableName: 'migration',
    },
    metadataCache: { enabled: false },
    // A database is made by whoever runs the server, not by an app that connects.
    ensureDatabase: false,
    forceUtcTimezone: true,
    colors: false,
    // Errors are thrown, and lost connections told below; the ORM has nothing to add.
    logger: () => {},
    driverOptions: {
      connectionString: options.url,
      application_name: options.applicationName,
      max: options.poolSize ?? 5,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: options.statementMs ?? STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      options: NO_JIT,
      keepAlive: true,
      onPoolCreated: sockets.watch,
    },
  });
  const pool: Pool = await orm.driver.getConnection().getNativeClient();
  options.instrument?.({ Client: pool.Client });
  const end = async () => {
    await orm.close(true);
    // The ORM ends the pool only when it has used it itself.
    if (!pool.ending) await pool.end();
  };
  return new PostgresDatabase({ orm, pool, close: () => sockets.closeWithin(end()) });
}
