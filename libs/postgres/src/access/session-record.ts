import { ms } from '../database/sql.ts';
import type { ApiKeyRole } from './api-key-record.ts';

/** How a session has begun. */
export type SessionBegin = 'key' | 'oidc' | 'link';

/** What a session belongs to, beside its token. */
export interface SessionOwner {
  /** It ends with this key, as it was then, and may what the key may. */
  readonly key?: { readonly id: string; readonly hash: string };
  /** It ends with this session, whose link began it. */
  readonly parent?: string;
  /** Of the provider, and who it is there. */
  readonly issuer?: string;
  readonly subject?: string;
}

/** Somebody who is signed in. Times in Unix milliseconds. */
export interface SessionRecord extends SessionOwner {
  /** Public. */
  readonly id: string;
  readonly tokenHash: string;
  readonly beganBy: SessionBegin;
  readonly name: string;
  readonly role: ApiKeyRole;
  /** The only queues that it sees and touches; absent: all. */
  readonly queues?: readonly string[];
  readonly payloads: boolean;
  readonly createdAt: number;
  /** To the minute. */
  readonly seenAt: number;
  readonly idleUntil: number;
  readonly expiresAt: number;
  /** When the key expires, of one that has a key which does. */
  readonly keyExpiresAt?: number;
  readonly address?: string;
  readonly userAgent?: string;
  /** Whether it lets in, by PostgreSQL's clock, when it was read. */
  readonly live: boolean;
}

/** What the rows of sessions and of links have alike: whose it is, and what it may do. */
export interface OwnerRow {
  readonly keyId: string | null;
  readonly keyHash: string | null;
  readonly parent: string | null;
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly name: string;
  readonly role: ApiKeyRole;
  readonly queues: string[] | null;
  readonly payloads: boolean;
}

/** A row of `SESSION_SELECT`. */
export interface SessionRow extends OwnerRow {
  readonly id: string;
  readonly tokenHash: string;
  readonly beganBy: SessionBegin;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly idleUntil: number;
  readonly expiresAt: number;
  readonly keyExpiresAt: number | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly live: boolean;
}

/** SQL: whether the key `k` lets in. */
export const LIVE_KEY = 'k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())';
/** SQL: what is asked of a session alone. */
const open = (session: string) => `${session}.ended_at is null and ${session}.expires_at > clock_timestamp()`;
/** SQL: whether that to which `of`, a session or a link, belongs still holds: the key `k` as it was then, the session `p`. */
export function liveOwner(of: string): string {
  return `(${of}.key_id is null or (k.hash is not null and k.hash = ${of}.key_hash and ${LIVE_KEY}))
    and (${of}.parent_id is null or (p.id is not null and ${open('p')}))`;
}
/** SQL: the table alias `of` with its key and the session of its link. */
export function withOwner(of: string): string {
  return `left join api_key k on k.id = ${of}.key_id left join session p on p.id = ${of}.parent_id`;
}
/** SQL: the columns that say what a session or a link may do. Of one with a key it is what the key may. */
export function rightsOf(of: string): string {
  const right = (column: string, otherwise: string) =>
    `case when ${of}.key_id is null then ${of}.${column} else coalesce(k.${column}, ${otherwise}) end as ${column}`;
  // Where the key is gone nobody is let in; should somebody be, it sees no queue and no payload.
  return [right('role', "'viewer'"), right('payloads', 'false'), `${queuesOf(of)} as queues`].join(', ');
}

/** SQL: the only queues that it sees and touches. Null is all of them: a key that is gone must not come to that. */
export function queuesOf(of: string): string {
  return `case when ${of}.key_id is null then ${of}.queues when k.id is null then '{}'::text[] else k.queues end`;
}

/** SQL: whether the session `s` was neither ended, nor is over by its time. It may have been idle for too long, or have lost its key. */
export const OPEN_SESSION = `(${open('s')})`;
/** SQL: whether the session `s` is not over for having been idle. */
export const NOT_IDLE = 's.seen_at + make_interval(secs => s.idle_seconds) > clock_timestamp()';
/** SQL: whether the session `s` lets in. */
export const LIVE_SESSION = `(${open('s')} and ${NOT_IDLE} and ${liveOwner('s')})`;
/** SQL: sessions as `s`, with what decides over them. */
export const SESSION_FROM = `session s ${withOwner('s')}`;

const UNTIL = 'least(s.expires_at, k.expires_at, p.expires_at)';
/** What to select for a `SessionRow`, of `SESSION_FROM`. */
export const SESSION_SELECT = `s.id, s.token_hash as "tokenHash", s.began_by as "beganBy", s.key_id as "keyId", s.key_hash as "keyHash",
  s.parent_id as parent, s.issuer, s.subject, s.name, ${rightsOf('s')},
  ${ms('s.created_at')} as "createdAt", ${ms('s.seen_at')} as "seenAt",
  ${ms(`least(s.seen_at + make_interval(secs => s.idle_seconds), ${UNTIL})`)} as "idleUntil", ${ms(UNTIL)} as "expiresAt",
  ${ms('k.expires_at')} as "keyExpiresAt", s.address, s.user_agent as "userAgent", coalesce(${LIVE_SESSION}, false) as live`;

/** Reads whose a session or a link is, and leaves the rest of its row as it stands. */
export function readOwner<Row extends OwnerRow>(row: Row) {
  const { keyId, keyHash, parent, issuer, subject, queues, ...rest } = row;
  return {
    ...rest,
    ...(keyId === null || keyHash === null ? {} : { key: { id: keyId, hash: keyHash } }),
    ...(parent === null ? {} : { parent }),
    ...(issuer === null ? {} : { issuer }),
    ...(subject === null ? {} : { subject }),
    ...(queues === null ? {} : { queues }),
  };
}

/** Reads a row. */
export function sessionRecord(row: SessionRow): SessionRecord {
  const { keyExpiresAt, address, userAgent, ...rest } = row;
  return {
    ...readOwner(rest),
    ...(keyExpiresAt === null ? {} : { keyExpiresAt: Math.floor(keyExpiresAt) }),
    ...(address === null ? {} : { address }),
    ...(userAgent === null ? {} : { userAgent }),
    createdAt: Math.floor(row.createdAt),
    seenAt: Math.floor(row.seenAt),
    idleUntil: Math.floor(row.idleUntil),
    expiresAt: Math.floor(row.expiresAt),
  };
}
