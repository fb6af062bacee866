import { type Database, databaseTime, forgetGivenUp } from '@jetbeat/postgres';

/** For so long it can be seen what should have followed a job and could not be made. */
const KEEP_MS = 90 * 86_400_000;
const LIMIT = 5_000;

/** Forgets what was given up long ago. */
export async function forgetUnmade({ db }: { db: Database }): Promise<void> {
  const before = (await databaseTime(db)) - KEEP_MS;
  while ((await forgetGivenUp(db, { before, limit: LIMIT })) === LIMIT);
}
