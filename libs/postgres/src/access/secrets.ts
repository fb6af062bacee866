import { randomBytes } from 'node:crypto';
import { type Database, inside } from '../database/database.ts';

/** Bytes of a secret: as many as SHA-256 makes use of. */
const BYTES = 32;

/**
 * The secret of this name, which every replica is given alike: the first one that asks makes it.
 * @returns 32 random bytes
 */
export async function sharedSecret(db: Database, name: string): Promise<Buffer> {
  const sql = inside(db);
  const get = () => sql.row<{ value: Buffer }>('select value from secret where name = $1', [name]);
  const known = await get();
  if (known) return known.value;
  await sql.run('insert into secret (name, value) values ($1, $2) on conflict (name) do nothing', [
    name,
    randomBytes(BYTES),
  ]);
  const made = await get();
  if (!made) throw new Error(`the secret ${JSON.stringify(name)} was deleted as it was made: start again`);
  return made.value;
}
