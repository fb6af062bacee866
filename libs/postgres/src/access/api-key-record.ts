import { ms } from '../database/sql.ts';

/** What a key may do. */
export type ApiKeyRole = 'viewer' | 'operator' | 'admin';

/** A key of the API, without its secret. Times in Unix milliseconds. */
export interface ApiKeyRecord {
  readonly id: string;
  /** Of the secret; what it looks like is the API's affair. */
  readonly hash: string;
  readonly role: ApiKeyRole;
  /** For people. */
  readonly name: string;
  /** The only queues that it sees and touches; absent: all. */
  readonly queues?: readonly string[];
  /** Whether it sees inputs, results, notes and stack traces. */
  readonly payloads: boolean;
  /** It stands in the configuration of the API. */
  readonly configured: boolean;
  readonly createdAt: number;
  /** Id of who has made it. */
  readonly createdBy?: string;
  readonly expiresAt?: number;
  /** By PostgreSQL's clock, when it was read. */
  readonly expired: boolean;
  /** To the minute. */
  readonly lastUsedAt?: number;
  readonly revokedAt?: number;
  readonly revokedBy?: string;
  /** Hashes of secrets that were taken back. */
  readonly retired: readonly string[];
}

/** A row of `KEY_SELECT`. */
export interface ApiKeyRow {
  readonly id: string;
  readonly hash: string;
  readonly role: ApiKeyRole;
  readonly name: string;
  readonly queues: string[] | null;
  readonly payloads: boolean;
  readonly configured: boolean;
  readonly createdAt: number;
  readonly createdBy: string | null;
  readonly expiresAt: number | null;
  readonly expired: boolean;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  readonly revokedBy: string | null;
  readonly retired: string[];
}

/** What to select for an `ApiKeyRow`, of the table alias `k`. */
export const KEY_SELECT = `k.id, k.hash, k.role, k.name, k.queues, k.payloads, k.configured, ${ms('k.created_at')} as "createdAt",
  k.created_by as "createdBy", ${ms('k.expires_at')} as "expiresAt", coalesce(k.expires_at <= clock_timestamp(), false) as expired,
  ${ms('k.last_used_at')} as "lastUsedAt", ${ms('k.revoked_at')} as "revokedAt", k.revoked_by as "revokedBy", k.retired`;

/** Reads a row. */
export function apiKeyRecord(row: ApiKeyRow): ApiKeyRecord {
  const { queues, createdBy, expiresAt, lastUsedAt, revokedAt, revokedBy, createdAt, ...rest } = row;
  return {
    ...rest,
    createdAt: Math.floor(createdAt),
    ...(queues === null ? {} : { queues }),
    ...(createdBy === null ? {} : { createdBy }),
    ...(expiresAt === null ? {} : { expiresAt: Math.floor(expiresAt) }),
    ...(lastUsedAt === null ? {} : { lastUsedAt: Math.floor(lastUsedAt) }),
    ...(revokedAt === null ? {} : { revokedAt: Math.floor(revokedAt) }),
    ...(revokedBy === null ? {} : { revokedBy }),
  };
}
