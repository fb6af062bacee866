import { isLockTimeout } from '../database/errors.ts';
import type { Sql } from '../database/sql.ts';
import { type HistoryIndex, historyIndexes } from '../migrations/history-indexes.ts';
import { type Briefly, blocked, brieflyLocked } from './apply-migration.ts';
import { type Blocker, describeBlocker, watchBlockers } from './blockers.ts';

/** What building needs. */
export interface BuildParams extends Briefly {
  /** The session that builds; nothing of it may be in a transaction. */
  readonly sql: Sql;
  /** How long a build waits for old transactions; it keeps nobody from writing meanwhile. Milliseconds. */
  readonly buildWaitMs: number;
}

/** A partition, and what it has of an index. */
interface Leaf {
  readonly leaf: string;
  /** A part of the index of the whole. */
  readonly attached: boolean;
  /** Whether the one that was made for it is whole; null: there is none. */
  readonly built: boolean | null;
}

const VALID = `select i.indisvalid as valid from pg_class c join pg_index i on i.indexrelid = c.oid
  where c.relname = $1 and c.relnamespace = current_schema()::regnamespace`;
const LEAVES = `select c.relname as leaf,
    exists (select from pg_inherits p join pg_index i on i.indexrelid = p.inhrelid
      where p.inhparent = to_regclass($2) and i.indrelid = c.oid) as attached,
    (select i.indisvalid from pg_class own join pg_index i on i.indexrelid = own.oid
      where own.relname = c.relname || $3 and own.relnamespace = c.relnamespace) as built
  from pg_inherits h join pg_class c on c.oid = h.inhrelid
  where h.inhparent = to_regclass($1) order by c.relname`;
/** Partitions may be made while others are built. */
const MAX_ROUNDS = 20;

/**
 * Builds the indexes of history that are missing, partition by partition while everybody reads and writes: each on its own
 * (`create index concurrently`), then they are put together. It looks at what is there, so it goes on where a process that was
 * killed has left off; what that one has left half done is made anew.
 * https://www.postgresql.org/docs/18/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
 * @throws MigrationBlockedError
 */
export async function buildIndexes(params: BuildParams): Promise<void> {
  for (const index of historyIndexes) await build(params, index);
}

/** Whether there is nothing to build. */
export async function areIndexesBuilt(sql: Sql): Promise<boolean> {
  for (const { name } of historyIndexes) if (!(await isBuilt(sql, name))) return false;
  return true;
}

/** Undefined: there is none. */
async function isBuilt(sql: Sql, name: string): Promise<boolean | undefined> {
  return (await sql.row<{ valid: boolean }>(VALID, [name]))?.valid;
}

async function build(params: BuildParams, index: HistoryIndex): Promise<void> {
  const { sql, log } = params;
  const { name, table, on } = index;
  const isValid = () => isBuilt(sql, name);
  const before = await isValid();
  if (before) return;
  const what = `the index ${name}`;
  if (before === undefined)
    await brieflyLocked(params, what, [{ text: `create index ${name} on only ${table} ${on}` }]);
  for (let round = 0; round < MAX_ROUNDS && !(await isValid()); round++) {
    const leaves = await sql.rows<Leaf>(LEAVES, [table, name, suffixOf(index)]);
    const todo = leaves.filter(({ attached }) => !attached);
    if (todo.length === 0) break;
    for (const leaf of todo)
      await buildLeaf(params, index, leaf).catch(async (error: unknown) => {
        // Partitions go, too, when their days are over. The next round looks at what is there then.
        const now = await sql.rows<Leaf>(LEAVES, [table, name, suffixOf(index)]);
        if (now.some((one) => one.leaf === leaf.leaf)) throw error;
        log.info({ index: name, partition: leaf.leaf }, 'a partition went before its index was built');
      });
  }
  if (!(await isValid()))
    throw new Error(`${what} does not become valid: drop it (drop index ${name}) and start again`);
}

/** Builds the index of one partition, and makes it a part of that of the whole. */
async function buildLeaf(params: BuildParams, index: HistoryIndex, { leaf, built }: Leaf): Promise<void> {
  const { name, on } = index;
  const what = `the index ${name}`;
  const own = leaf + suffixOf(index);
  const begun = performance.now();
  // A build that was cut off leaves an index that is written and never read.
  if (built === false) await concurrently(params, what, `drop index concurrently ${own}`);
  if (built !== true) await concurrently(params, what, `create index concurrently ${own} on ${leaf} ${on}`);
  await brieflyLocked(params, what, [{ text: `alter index ${name} attach partition ${own}` }]);
  const seconds = Math.round((performance.now() - begun) / 1_000);
  if (seconds > 0) params.log.info({ index: name, partition: leaf, seconds }, 'an index of history is built');
}

/** Runs what waits for transactions that are older than itself, and locks out nobody. */
async function concurrently(params: BuildParams, what: string, text: string): Promise<void> {
  const { db, sql, log, buildWaitMs } = params;
  let blockers: readonly Blocker[] = [];
  const onBlocked = (found: readonly Blocker[]) => {
    if (found[0]?.pid !== blockers[0]?.pid)
      log.warn({ statement: text, waitsFor: found.map(describeBlocker) }, `${what} waits for others`);
    blockers = found;
  };
  try {
    await watchBlockers(db, { sql, act: () => sql.run(text), onBlocked });
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw blocked({ what, at: text, blockers, forMs: buildWaitMs });
  }
}

/** What the name of a partition's index has behind that of the partition. */
function suffixOf({ name, table }: HistoryIndex): string {
  return name.slice(table.length);
}
