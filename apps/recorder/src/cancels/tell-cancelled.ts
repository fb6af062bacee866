import { cancelledEvent } from '@jetbeat/core';
import type { EventPublisher } from '@jetbeat/jetstream';
import { type Database, jobsOf } from '@jetbeat/postgres';

/** Tells those who follow what happens of jobs that were ended in history; who is not told looks there. */
export async function tellCancelled(
  { db, events }: { readonly db: Database; readonly events: Pick<EventPublisher, 'publish'> },
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const told = (await jobsOf(db, ids)).map(cancelledEvent);
  await Promise.all(told.map((event) => event && events.publish(event)));
}
