import { DURATION_PATTERN, JetbeatError, parseDuration } from '@jetbeat/core';
import { type Context, defineTask, Reject, systemClock } from '@jetbeat/task';
import Type, { type Static } from 'typebox';
import { configured } from './not-configured.ts';
import {
  openSession,
  type PostgresConnection,
  PostgresError,
  type PostgresSession,
  sqlState,
} from './postgres-session.ts';
import { quoted, type TableName, tableName } from './table-name.ts';

/** The input of `postgres.maintenance`. */
const Input = Type.Object(
  {
    connection: Type.Optional(
      Type.String({ description: 'one of postgres.connections in jetbeat.yaml; else main' }),
    ),
    action: Type.Optional(Type.Enum(['vacuum', 'vacuum-analyze', 'analyze'])),
    tables: Type.Array(
      Type.Union([
        Type.String({ minLength: 1, maxLength: 127 }),
        Type.Object(
          { schema: Type.Optional(Type.String()), table: Type.String() },
          { additionalProperties: false },
        ),
      ]),
      { minItems: 1, maxItems: 100 },
    ),
    lockTimeout: Type.Optional(
      Type.String({ pattern: DURATION_PATTERN, description: 'longest wait for the lock of a table' }),
    ),
  },
  { additionalProperties: false },
);
type Input = Static<typeof Input>;

/** What `postgres.maintenance` returns. */
export interface Maintained {
  readonly action: string;
  readonly tables: readonly { readonly name: string; readonly ms: number }[];
}

interface Found {
  readonly schema: string;
  readonly table: string;
  readonly kind: string;
  readonly permitted: boolean;
}

const STATEMENTS = { vacuum: 'vacuum', 'vacuum-analyze': 'vacuum (analyze)', analyze: 'analyze' } as const;
const DEFAULT_LOCK_TIMEOUT = '1m';
/** Partitioned and plain tables, materialized views: what VACUUM takes. */
const KINDS = new Set(['r', 'p', 'm']);
/** PostgreSQL's longest timeout. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** A table that is not permitted is skipped by VACUUM with a mere warning, so it is asked for before. */
const FIND = (maintain: boolean) => `
  select n.nspname as schema, c.relname as table, c.relkind as kind,
    pg_has_role(c.relowner, 'USAGE')
      or (select pg_has_role(datdba, 'USAGE') from pg_database where datname = current_database())
      ${maintain ? "or has_table_privilege(c.oid, 'MAINTAIN')" : ''} as permitted
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = to_regclass($1)`;

/** `postgres.maintenance`: VACUUM, VACUUM (ANALYZE) or ANALYZE of named tables of a configured database, one after the other. */
export function postgresMaintenance(connections: Readonly<Record<string, PostgresConnection>>) {
  return defineTask({
    name: 'postgres.maintenance',
    input: Input,
    async run(input, ctx): Promise<Maintained> {
      const names = input.tables.map(tableName);
      const connection = configured(connections, input.connection ?? 'main', 'postgres.connections');
      const session = await openSession(connection, ctx.signal);
      try {
        return await maintain(session, names, input, ctx);
      } catch (error) {
        throw ctx.signal.aborted ? ctx.signal.reason : asOutcome(error);
      } finally {
        await session.close();
      }
    },
  });
}

async function maintain(
  session: PostgresSession,
  names: readonly TableName[],
  input: Input,
  ctx: Context,
): Promise<Maintained> {
  const action = input.action ?? 'vacuum-analyze';
  const found = await findAll(session, names);
  const lockMs = parseDuration(input.lockTimeout ?? DEFAULT_LOCK_TIMEOUT);
  const lock = Math.min(Math.max(1, lockMs), MAX_TIMEOUT_MS);
  await session.rows(`set lock_timeout = ${lock}`);
  const tables: { name: string; ms: number }[] = [];
  for (const { schema, table } of found) {
    const startedAt = systemClock.elapsed();
    const left = Math.min(Math.max(1, Math.ceil(ctx.deadline.getTime() - systemClock.now())), MAX_TIMEOUT_MS);
    await session.rows(`set statement_timeout = ${left}`);
    await session.rows(`${STATEMENTS[action]} ${quoted(schema)}.${quoted(table)}`);
    tables.push({ name: `${schema}.${table}`, ms: Math.round(systemClock.elapsed() - startedAt) });
  }
  return { action, tables };
}

/** All are looked for before the first is worked on. What is executed are the names that the catalogue gives. */
async function findAll(session: PostgresSession, names: readonly TableName[]): Promise<readonly Found[]> {
  const [server] = await session.rows<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  const text = FIND((server?.version ?? 0) >= 170_000);
  const tables: Found[] = [];
  for (const { schema, table } of names) {
    const asked = schema === undefined ? quoted(table) : `${quoted(schema)}.${quoted(table)}`;
    const [found] = await session.rows<Found>(text, [asked]);
    if (!found || !KINDS.has(found.kind))
      throw Reject(`there is no table ${asked} in this database (names are taken as they stand)`, {
        code: 'no_such_table',
      });
    if (!found.permitted)
      throw Reject(`this user may not maintain ${asked}: GRANT MAINTAIN on it, or connect as its owner`, {
        code: 'table_not_permitted',
      });
    tables.push(found);
  }
  return tables;
}

/** What is wrong with names and rights stays wrong (SQLSTATE 42…, 3F…); a lock, a timeout, a lost server does not. */
function asOutcome(error: unknown): unknown {
  const state = sqlState(error);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof JetbeatError) return error;
  if (state === undefined)
    return new PostgresError('postgres_failed', 'the connection to the database broke', { cause: error });
  if (/^(42|3F)/.test(state)) return Reject(`${message} (SQLSTATE ${state})`, { code: 'postgres_refused' });
  const code =
    state === '55P03' ? 'lock_timeout' : state === '57014' ? 'statement_timeout' : 'postgres_failed';
  return new PostgresError(code, `${message} (SQLSTATE ${state})`);
}
