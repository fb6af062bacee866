import type { QueueSettings } from '@jetbeat/core';
import { type Bus, jobsStreamState, mendQueueSettings } from '@jetbeat/jetstream';
import { type Database, listQueues, settingsOf } from '@jetbeat/postgres';

/**
 * Makes what every process is told of the queues agree with PostgreSQL: whoever changes a queue tells it too, but may have
 * died in between, and a store can be lost.
 * @returns the queues of which something else was told
 */
export function tellQueues({ bus, db }: { bus: Bus; db: Database }): Promise<string[]> {
  return mendQueueSettings(bus, async () => {
    const { created } = await jobsStreamState(bus);
    const told = new Map<string, QueueSettings>();
    for (const queue of await listQueues(db)) {
      const { purge, ...rest } = queue;
      // Its sequences would mean other messages in a stream that was made anew.
      told.set(queue.name, settingsOf(purge?.streamCreated === created ? queue : rest));
    }
    return told;
  });
}
