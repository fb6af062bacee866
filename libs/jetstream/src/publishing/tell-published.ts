import type { PublishedEvent } from '@jetbeat/core';
import type { EventPublisher } from '../events/event-publisher.ts';

/**
 * Tells those who follow what happens of jobs that a database has committed and that are in JetStream. Resolves when that is stored.
 * @throws BusClosedError, EventQueueFullError
 */
export async function tellPublished(
  events: Pick<EventPublisher, 'publish'>,
  published: readonly PublishedEvent[],
): Promise<void> {
  // Those that are stored together share a promise.
  await Promise.all(new Set(published.map((event) => events.publish(event))));
}
