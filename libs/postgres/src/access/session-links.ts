import { type Database, inside } from '../database/database.ts';
import { at, ms, type Sql } from '../database/sql.ts';
import {
  liveOwner,
  type OwnerRow,
  readOwner,
  rightsOf,
  type SessionOwner,
  type SessionRecord,
  withOwner,
} from './session-record.ts';

/** The most links of one key or session that may wait to be followed: of more the oldest hold no more. */
const MOST_OF_ONE = 20;

/** Whom a link signs in, and what it may do then. */
export interface SessionLink
  extends SessionOwner,
    Pick<SessionRecord, 'name' | 'role' | 'queues' | 'payloads'> {
  /** The session ends no later than this, Unix milliseconds. */
  readonly until?: number;
}

/** Writes a link. @returns when it holds no more, Unix milliseconds */
export async function createSessionLink(
  db: Database,
  link: SessionLink & {
    /** Of its code, which is told once. */
    readonly codeHash: string;
    readonly validMs: number;
  },
): Promise<number> {
  const { key, parent, issuer, subject, name, role, queues, payloads, until, codeHash, validMs } = link;
  return inside(db).transaction(async (sql) => {
    await sql.run(
      `delete from session_link where code_hash in (select code_hash from session_link
         where coalesce(parent_id, key_id) = $1 order by created_at desc offset ${MOST_OF_ONE - 1})`,
      [parent ?? key?.id ?? null],
    );
    const row = await sql.row<{ at: number }>(
      `insert into session_link (code_hash, key_id, key_hash, parent_id, issuer, subject, name, role, queues, payloads, session_until, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ${at('$11')}, clock_timestamp() + make_interval(secs => $12))
       returning ${ms('expires_at')} as at`,
      [
        ...[codeHash, key?.id ?? null, key?.hash ?? null, parent ?? null, issuer ?? null, subject ?? null],
        ...[name, role, queues ?? null, payloads, until ?? null, validMs / 1_000],
      ],
    );
    return Math.floor(row?.at ?? 0);
  });
}

interface Row extends OwnerRow {
  readonly until: number | null;
}

/**
 * Looks at a link. It is followed by `beginSession`, with what it begins: where nothing begins it waits on.
 * @returns undefined where there is none with this code, or that of which it is holds no more
 */
export async function findSessionLink(db: Database, codeHash: string): Promise<SessionLink | undefined> {
  const row = await inside(db).row<Row>(
    `select l.key_id as "keyId", l.key_hash as "keyHash", l.parent_id as parent, l.issuer, l.subject, l.name, ${rightsOf('l')},
       ${ms('l.session_until')} as until
     from session_link l ${withOwner('l')} where l.code_hash = $1 and l.expires_at > clock_timestamp() and ${liveOwner('l')}`,
    [codeHash],
  );
  if (!row) return undefined;
  const { until, ...rest } = row;
  return {
    ...readOwner(rest),
    ...(until === null ? {} : { until: Math.floor(until) }),
  };
}

/** Uses a link up: of two at once one does. False: it is gone. */
export async function useSessionLink(sql: Sql, codeHash: string): Promise<boolean> {
  const used = await sql.run(
    'delete from session_link where code_hash = $1 and expires_at > clock_timestamp()',
    [codeHash],
  );
  return used > 0;
}
