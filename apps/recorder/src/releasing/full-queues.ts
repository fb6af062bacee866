import { type FullQueue, PRIORITIES } from '@jetbeat/core';
import { type Bus, consumerState } from '@jetbeat/jetstream';
import { allQueueSettings, type Database } from '@jetbeat/postgres';

/** How long the bounds are taken from what was read last, milliseconds; they are known while PostgreSQL is away, too. */
const READ_EVERY_MS = 2_000;

/** Makes looks at the queues that have a bound for the jobs that wait in them. Each answers with those that are full. */
export function createFullQueues({ bus, db }: { bus: Bus; db: Database }): () => Promise<FullQueue[]> {
  let bounds: readonly { readonly queue: string; readonly maxDepth: number }[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  const read = async () => {
    if (performance.now() - readAt < READ_EVERY_MS) return;
    readAt = performance.now();
    const settings = await allQueueSettings(db).catch(() => undefined);
    if (!settings) return;
    bounds = [...settings].flatMap(([queue, { maxDepth }]) =>
      maxDepth === undefined ? [] : [{ queue, maxDepth }],
    );
  };
  return async () => {
    await read();
    const looks = bounds.map(async ({ queue, maxDepth }): Promise<FullQueue> => {
      const lanes = await Promise.all(PRIORITIES.map((priority) => consumerState(bus, queue, priority)));
      return { queue, maxDepth, depth: lanes.reduce((sum, { pending }) => sum + pending, 0) };
    });
    return (await Promise.all(looks)).filter(({ depth, maxDepth }) => depth >= maxDepth);
  };
}
