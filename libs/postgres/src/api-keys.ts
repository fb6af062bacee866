import { type Database, inside } from './database.ts';
import { ApiKeyEntity, type ApiKeyRole } from './entities.ts';

export type { ApiKeyRole };

/** A key of the API, without its secret. */
export interface ApiKeyRecord {
  readonly id: string;
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
  readonly role: ApiKeyRole;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** Writes a key; one with the same id is replaced. */
export async function insertApiKey(db: Database, key: ApiKeyRecord): Promise<void> {
  await inside(db).entities((em) => em.upsert(ApiKeyEntity, { ...key, createdAt: new Date(key.createdAt) }));
}

/** The key of this id; undefined when there is none. */
export async function findApiKey(db: Database, id: string): Promise<ApiKeyRecord | undefined> {
  const key = await inside(db).entities((em) => em.findOne(ApiKeyEntity, { id }));
  return key ? { id: key.id, hash: key.hash, role: key.role, createdAt: key.createdAt.getTime() } : undefined;
}
