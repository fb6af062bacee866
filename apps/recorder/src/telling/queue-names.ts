import type { Log } from '@jetbeat/jetstream';
import { type Database, listQueues } from '@jetbeat/postgres';

/** Makes a reader of the names of all queues that PostgreSQL knows; while it is away, of those that it knew last. */
export function createQueueNames({ db, log }: { db: Database; log: Log }): () => Promise<readonly string[]> {
  let last: readonly string[] = [];
  return async () => {
    try {
      last = (await listQueues(db)).map(({ name }) => name);
    } catch (err) {
      log.debug({ err }, 'the names of the queues cannot be read now');
    }
    return last;
  };
}
