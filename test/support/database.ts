import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Database, migrate, openDatabase } from '@jetbeat/postgres';
import { MikroORM } from '@mikro-orm/postgresql';

/** A database of one's own, migrated. */
export interface TestDatabase {
  readonly url: string;
  /** Cuts whoever is still connected. */
  drop(): Promise<void>;
}

const TEMPLATE = 'jetbeat_test_template';
const LOCK = 7_163_381_246;
const MIGRATIONS = resolve(import.meta.dirname, '../../libs/postgres/src/migrations');

/**
 * Makes a database on the server of the test run (`JETBEAT_TEST_DATABASE_URL`) by copying a template, which the first caller
 * migrates. Copying costs some 50 ms, migrating ten times that.
 * @param params.migrated false: an empty one
 */
export async function createTestDatabase(params: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const { migrated = true } = params;
  const server = process.env['JETBEAT_TEST_DATABASE_URL'];
  if (!server)
    throw new Error(
      'JETBEAT_TEST_DATABASE_URL is not set: run the tests through vitest, whose set-up starts a server',
    );
  const name = `jetbeat_test_${randomBytes(8).toString('hex')}`;
  await onServer(server, async (run) => {
    if (!migrated) {
      await run(`create database ${name}`);
      return;
    }
    // Nobody may be connected to a template while it is copied, so making it and copying it take turns.
    await run('select pg_advisory_lock(?)', [LOCK]);
    await makeTemplate(run, server);
    await run(`create database ${name} template ${TEMPLATE}`);
  });
  return {
    url: urlOf(server, name),
    drop: () =>
      onServer(server, (run) => run(`drop database if exists ${name} with (force)`)).then(() => undefined),
  };
}

/**
 * Makes a migrated one and opens it, for a test file: `beforeAll` takes `drop` as its return value.
 * @param applicationName what PostgreSQL shows of the connections
 */
export async function openTestDatabase(
  applicationName = 'test',
): Promise<TestDatabase & { readonly db: Database }> {
  const { url, drop } = await createTestDatabase();
  const db = await openDatabase({ url, applicationName }).catch(async (error: unknown) => {
    await drop();
    throw error;
  });
  return {
    url,
    db,
    async drop() {
      await db.close();
      await drop();
    },
  };
}

type Run = (text: string, values?: unknown[]) => Promise<{ hash?: string | null }[]>;

/** The template is made anew when a migration has changed; its comment says of which migrations it is. */
async function makeTemplate(run: Run, server: string): Promise<void> {
  const wanted = await migrationsHash();
  const [there] = await run(
    `select shobj_description(oid, 'pg_database') as hash from pg_database where datname = ?`,
    [TEMPLATE],
  );
  if (there?.hash === wanted) return;
  await run(`drop database if exists ${TEMPLATE} with (force)`);
  await run(`create database ${TEMPLATE}`);
  const db = await openDatabase({ url: urlOf(server, TEMPLATE), applicationName: 'test-template' });
  try {
    await migrate(db);
  } finally {
    await db.close();
  }
  await run(`comment on database ${TEMPLATE} is '${wanted}'`);
}

async function migrationsHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(MIGRATIONS)).sort()) hash.update(await readFile(join(MIGRATIONS, file)));
  return hash.digest('hex');
}

/** One session, closed afterwards, which frees its locks. */
export async function onServer<T>(server: string, fn: (run: Run) => Promise<T>): Promise<T> {
  const orm = new MikroORM({
    clientUrl: server,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    driverOptions: { max: 1, connectionTimeoutMillis: 10_000, statement_timeout: 30_000 },
  });
  try {
    return await fn((text, values = []) => orm.driver.getConnection().execute(text, values));
  } finally {
    await orm.close(true);
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
