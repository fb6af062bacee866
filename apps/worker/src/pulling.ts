import { type Bus, type Delivery, type JobSource, openJobSource } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import { createFetch, type Fetch, type FetchParams } from './fetch.ts';
import { createTurns } from './lanes.ts';

/** Where a worker's jobs come from. */
export interface Pulling {
  readonly fetch: Fetch;
  readonly sources: ReadonlyMap<string, JobSource>;
  /** Pulls no more; resolves when nothing that was pulled can come any more. */
  close(): Promise<void>;
}

/**
 * Opens the queues, and fetches from them.
 * @param params.onDelivery gets what one queue brought in one turn of the event loop
 * @param params.onRefused the server refuses a pull: what is pulled from may be missing
 */
export function createPulling(
  params: {
    bus: Bus;
    queues: readonly string[];
    onDelivery: (queue: string, deliveries: Delivery[]) => void;
    onRefused: () => void;
    log: Log;
  } & Pick<FetchParams, 'room' | 'roomOf' | 'isWorth' | 'now'>,
): Pulling {
  const { bus, queues, onDelivery, onRefused, room, roomOf, isWorth, now, log } = params;
  const open = (queue: string): JobSource =>
    openJobSource(bus, {
      queue,
      onDelivery: (deliveries) => onDelivery(queue, deliveries),
      onPullEnd(end) {
        if (end.status === 'refused') onRefused();
        fetch.ended(queue, end);
      },
      log,
    });
  const sources = new Map(queues.map((queue) => [queue, open(queue)]));
  const fetch = createFetch({ sources, turns: createTurns(queues), now, room, roomOf, isWorth });
  return {
    fetch,
    sources,
    async close() {
      fetch.stop();
      await Promise.all([...sources.values()].map((source) => source.close()));
    },
  };
}
