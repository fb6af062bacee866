import { type Database, inside } from './database.ts';

/** A key as it was when somebody came with it. */
interface KeyInUse {
  readonly id: string;
  /** That of the secret it had then. */
  readonly hash: string;
}

/** Which of these keys may be used now: neither revoked nor expired, by PostgreSQL's clock, and their secrets still those. */
export async function liveApiKeys<Key extends KeyInUse>(db: Database, keys: readonly Key[]): Promise<Key[]> {
  const rows = await inside(db).rows<KeyInUse>(
    `select k.id, k.hash from api_key k where k.id = any($1::text[])
       and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())`,
    [keys.map(({ id }) => id)],
  );
  const live = new Map(rows.map(({ id, hash }) => [id, hash]));
  return keys.filter(({ id, hash }) => live.get(id) === hash);
}
