import { type Database, inside } from '../database/database.ts';
import { ConflictError } from '../database/errors.ts';
import { at, type Sql } from '../database/sql.ts';
import type { Total } from '../jobs/count-jobs.ts';
import { countNewest } from '../jobs/count-newest.ts';
import {
  type ApiKeyRecord,
  type ApiKeyRole,
  type ApiKeyRow,
  apiKeyRecord,
  KEY_SELECT,
} from './api-key-record.ts';
import { type AuditOf, writeAudit } from './audit.ts';
import { LIVE_KEY } from './session-record.ts';

export type { ApiKeyRecord, ApiKeyRole };

/** What a revoked key has for a hash: nothing has it, also not for a version that knows nothing of `revoked_at`. */
export const NO_HASH = 'revoked';
/** The most hashes of one key that are remembered as taken back. */
export const MAX_RETIRED = 20;
/** Starts of several APIs take over their keys one after the other. */
export const LOCK = `select pg_advisory_xact_lock(hashtext('jetbeat api_key'))`;

/** The key of this id, revoked or not; undefined when there is none. */
export async function findApiKey(db: Database, id: string): Promise<ApiKeyRecord | undefined> {
  const row = await inside(db).row<ApiKeyRow>(`select ${KEY_SELECT} from "api_key" k where k."id" = $1`, [
    id,
  ]);
  return row && apiKeyRecord(row);
}

/** A new key. Times in Unix milliseconds. */
export type NewApiKey = Pick<
  ApiKeyRecord,
  'id' | 'hash' | 'role' | 'name' | 'queues' | 'payloads' | 'createdBy' | 'expiresAt' | 'createdAt'
>;

/** Writes a new key. @throws ConflictError when there is one with this id */
export async function createApiKey(
  db: Database,
  key: NewApiKey & { readonly audit?: AuditOf<ApiKeyRecord> },
): Promise<ApiKeyRecord> {
  const { audit } = key;
  const {
    id,
    hash,
    role,
    name,
    queues = null,
    payloads,
    createdBy = null,
    expiresAt = null,
    createdAt,
  } = key;
  return inside(db).transaction(async (sql) => {
    const row = await sql.row<ApiKeyRow>(
      `insert into api_key as k (id, hash, role, name, queues, payloads, created_by, expires_at, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, ${at('$8')}, ${at('$9')})
       on conflict (id) do nothing returning ${KEY_SELECT}`,
      [id, hash, role, name, queues, payloads, createdBy, expiresAt, createdAt],
    );
    if (!row) throw new ConflictError(`there is a key with the id ${id} already`);
    const made = apiKeyRecord(row);
    if (audit) await writeAudit(sql, audit(undefined, made));
    return made;
  });
}

/** Keys, the newest first; revoked and expired ones too. */
export async function listApiKeys(
  db: Database,
  params: {
    readonly limit: number;
    /** Only those that are for no other queues than these. */
    readonly within?: readonly string[] | undefined;
    /** Only those of this name. */
    readonly named?: string;
    readonly after?: { readonly createdAt: number; readonly id: string };
  },
): Promise<ApiKeyRecord[]> {
  const { limit, within = null, named = null, after } = params;
  const rows = await inside(db).rows<ApiKeyRow>(
    `select ${KEY_SELECT} from api_key k
     where ($2::text[] is null or k.queues <@ $2::text[]) and ($3::text is null or k.name = $3)
       ${after === undefined ? '' : `and (k.created_at, k.id) < (${at('$4')}, $5)`}
     order by k.created_at desc, k.id desc limit $1`,
    [limit, within, named, ...(after === undefined ? [] : [after.createdAt, after.id])],
  );
  return rows.map(apiKeyRecord);
}

/** How many keys there are, of those that are for no other queues than these. */
export function countApiKeys(db: Database, within: readonly string[] | undefined): Promise<Total> {
  const fits = within === undefined ? [] : ['k.queues <@ $1::text[]'];
  const values = within === undefined ? [] : [[...within]];
  return countNewest(db, { from: 'api_key k', walk: [], fits, order: 'k.created_at desc', values });
}

/** What became of a request to revoke a key. */
export type Revoked = 'revoked' | 'already' | 'last' | 'unknown';

/**
 * Takes a key back for ever. `last`: it may make others, and none would be left that can make as much for as long, so that one day nobody
 * could get in, or see payloads; nothing is changed then.
 */
export async function revokeApiKey(
  db: Database,
  params: { readonly id: string; readonly by: string; readonly audit?: AuditOf<ApiKeyRecord> },
): Promise<Revoked> {
  const { id, by, audit } = params;
  return inside(db).transaction(async (sql) => {
    await sql.run(LOCK);
    const row = await sql.row<ApiKeyRow>(`select ${KEY_SELECT} from api_key k where k.id = $1 for update`, [
      id,
    ]);
    if (!row) return 'unknown';
    if (row.revokedAt !== null) return 'already';
    if (await isLastMaster(sql, id)) return 'last';
    const [after] = await retireKeys(sql, 'k.id = $2', [by, id]);
    if (audit) await writeAudit(sql, audit(apiKeyRecord(row), after));
    return 'revoked';
  });
}

/** Keys that may make others, for all queues: what they make sees no more than they do, and lasts no longer. */
const MASTERS = `select k.id, k.payloads, coalesce(k.expires_at, 'infinity') as until from api_key k
  where k.role = 'admin' and k.queues is null and ${LIVE_KEY}`;

async function isLastMaster(sql: Sql, id: string): Promise<boolean> {
  const row = await sql.row(
    `with master as (${MASTERS})
     select 1 from master m where m.id = $1 and not exists (
       select 1 from master o where o.id <> m.id and o.payloads >= m.payloads and o.until >= m.until)`,
    [id],
  );
  return row !== undefined;
}

/** Takes keys back. @param values the first one: who does it */
export async function retireKeys(
  sql: Sql,
  where: string,
  values: readonly unknown[],
): Promise<ApiKeyRecord[]> {
  const rows = await sql.rows<ApiKeyRow>(
    `update api_key k set revoked_at = clock_timestamp(), revoked_by = $1, hash = '${NO_HASH}',
       retired = (array_prepend(k.hash, k.retired))[1:${MAX_RETIRED}]
     where ${where} and k.revoked_at is null returning ${KEY_SELECT}`,
    values,
  );
  return rows.map(apiKeyRecord);
}

/** Notes that keys were used, at most once a minute each. */
export async function noteKeyUse(db: Database, ids: readonly string[]): Promise<void> {
  await inside(db).transaction(
    (sql) =>
      sql.run(
        `update api_key k set last_used_at = clock_timestamp() where k.id in (
           select u.id from api_key u where u.id = any($1::text[])
             and (u.last_used_at is null or u.last_used_at < clock_timestamp() - interval '55 seconds')
           order by u.id for update skip locked)`,
        [ids],
      ),
    { durable: () => false },
  );
}

/** Whether there is a key with which anybody could get in. */
export async function hasLiveApiKey(db: Database): Promise<boolean> {
  return (await inside(db).row(`select 1 from api_key k where ${LIVE_KEY} limit 1`)) !== undefined;
}
