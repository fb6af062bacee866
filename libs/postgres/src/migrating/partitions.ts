import { type Database, inside } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';

const DAY = 86_400_000;
/** Makes passes of several recorders wait for each other. */
const LOCK = 30_225_475_164_135_797n;
/** Attaching waits for nobody longer than this, since everybody waits behind it. */
const LOCK_TIMEOUT = '3s';
const TABLES = [
  { table: 'job', key: 'id' },
  { table: 'attempt', key: 'job_id' },
] as const;

/** Which days were made. */
export interface Partitions {
  /** Tables, e.g. `job_20260131`. */
  readonly created: string[];
  /** Days whose rows are in the default partition already, where they stay. */
  readonly skipped: string[];
}

/**
 * Makes the day partitions (UTC) of job and attempt, from the day of `now` to `daysAhead` days later. Several callers may
 * do it at once.
 */
export async function ensurePartitions(
  db: Database,
  params: { now: number; daysAhead: number },
): Promise<Partitions> {
  const today = Math.floor(params.now / DAY) * DAY;
  const days = Array.from({ length: params.daysAhead + 1 }, (_, index) => today + index * DAY);
  const wanted = days.flatMap((day) =>
    TABLES.map((of) => ({ ...of, day, name: `${of.table}_${dateOf(day)}` })),
  );
  const made: Partitions = { created: [], skipped: [] };
  const missing = await inside(db).rows<{ name: string }>(
    'select name from unnest($1::text[]) as name where to_regclass(name) is null',
    [wanted.map((partition) => partition.name)],
  );
  const names = new Set(missing.map((row) => row.name));
  for (const partition of wanted.filter(({ name }) => names.has(name))) {
    const result = await inside(db).transaction((sql) => make(sql, partition));
    if (result !== undefined) made[result].push(partition.name);
  }
  return made;
}

interface Wanted {
  readonly table: string;
  readonly key: string;
  readonly day: number;
  readonly name: string;
}

async function make(sql: Sql, partition: Wanted): Promise<'created' | 'skipped' | undefined> {
  const { table, key, name } = partition;
  const from = lowestId(partition.day);
  const to = lowestId(partition.day + DAY);
  await sql.run(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
  await sql.run('select pg_advisory_xact_lock($1)', [LOCK]);
  // Not `to_regclass`, whose cached "no" may be older than the lock that was waited for.
  const known = await sql.row(
    'select 1 from pg_class where relname = $1 and relnamespace = current_schema()::regnamespace',
    [name],
  );
  if (known) return undefined;
  const taken = await sql.row(`select 1 from ${table}_default where ${key} >= $1 and ${key} < $2 limit 1`, [
    from,
    to,
  ]);
  if (taken) return 'skipped';
  // Attaching an empty table locks the parent less than making it as a partition would: readers and writers go on.
  await sql.run(`create table ${name} (like ${table} including defaults including constraints)`);
  await sql.run(`alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}')`);
  return 'created';
}

/** The least UUIDv7 of a time, so that a range of days is a range of ids. */
function lowestId(time: number): string {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

function dateOf(day: number): string {
  return new Date(day).toISOString().slice(0, 10).replaceAll('-', '');
}
