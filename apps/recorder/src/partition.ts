import { type Database, databaseTime, ensurePartitions } from '@jetbeat/postgres';

/** Days for which a partition of the job table is made ahead. */
const DAYS_AHEAD = 7;

/** Makes the partitions of the coming days; what has none goes to the default partition. */
export async function partition({ db }: { db: Database }): Promise<void> {
  await ensurePartitions(db, { now: await databaseTime(db), daysAhead: DAYS_AHEAD });
}
