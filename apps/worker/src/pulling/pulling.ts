import { type Bus, type Delivery, type JobSource, openJobSource } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import { createFetch, type Fetch, type FetchParams } from './fetch.ts';
import { createTurns } from './lanes.ts';

/** Where a worker's jobs come from. */
export interface Pulling {
  readonly fetch: Fetch;
  /** Those of the queues from which is pulled now. */
  readonly sources: ReadonlyMap<string, JobSource>;
  /**
   * Pulls from these queues and no others. Resolves when nothing that was pulled from the rest can come any more: what still comes is
   * given back.
   */
  pull(queues: readonly string[]): Promise<void>;
  /** Pulls no more; resolves when nothing that was pulled can come any more. */
  close(): Promise<void>;
}

/**
 * Makes what fetches from queues; it begins with none.
 * @param params.onDelivery gets what one queue brought in one turn of the event loop
 * @param params.onRefused the server refuses a pull: what is pulled from may be missing
 */
export function createPulling(
  params: {
    bus: Bus;
    onDelivery: (queue: string, deliveries: Delivery[]) => void;
    onRefused: () => void;
    log: Log;
  } & Pick<FetchParams, 'room' | 'roomOf' | 'isWorth' | 'now'>,
): Pulling {
  const { bus, onDelivery, onRefused, room, roomOf, isWorth, now, log } = params;
  const sources = new Map<string, JobSource>();
  const fetch = createFetch({ sources, turns: createTurns([]), now, room, roomOf, isWorth });
  const open = (queue: string) => {
    const source = openJobSource(bus, {
      queue,
      onDelivery: (deliveries) => onDelivery(queue, deliveries),
      onPullEnd(end) {
        // One that was closed says nothing of the one that may have taken its place.
        if (sources.get(queue) !== source) return;
        if (end.status === 'refused') onRefused();
        fetch.ended(queue, end);
      },
      log,
    });
    sources.set(queue, source);
    fetch.add(queue);
  };
  const leave = (queue: string, source: JobSource): Promise<void> => {
    sources.delete(queue);
    fetch.remove(queue);
    return source.close();
  };
  const pull = async (queues: readonly string[]) => {
    const left = [...sources].filter(([queue]) => !queues.includes(queue));
    const closed = left.map(([queue, source]) => leave(queue, source));
    for (const queue of queues) if (!sources.has(queue)) open(queue);
    await Promise.all(closed);
  };
  return {
    fetch,
    sources,
    pull,
    async close() {
      fetch.stop();
      await Promise.all([...sources.values()].map((source) => source.close()));
    },
  };
}
