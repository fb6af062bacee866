import type { LaneView } from '@jetbeat/jetstream';
import {
  countByQueue,
  type Database,
  databaseTime,
  liveWorkers,
  type QueueCensus,
  type QueueRate,
  queueRates,
} from '@jetbeat/postgres';
import { createBriefly } from '../briefly.ts';

/** What is going on in the queues, as of a moment ago. */
export interface QueuePicture {
  /** By queue; undefined while NATS does not answer. */
  readonly lanes: ReadonlyMap<string, readonly LaneView[]> | undefined;
  readonly census: QueueCensus;
  readonly rates: ReadonlyMap<string, QueueRate>;
  /** Ids of live workers by queue. */
  readonly workers: ReadonlyMap<string, readonly string[]>;
  /** By id of a live worker: how many jobs it runs at once. */
  readonly slots: ReadonlyMap<string, number>;
}

/** How old the picture may be. */
const FRESH_MS = 500;

/** Looks at the queues at most twice a second, however many ask. */
export function watchQueues(params: {
  db: Database;
  /** Undefined while NATS does not answer; may throw. */
  lanes: () => Promise<readonly LaneView[] | undefined>;
  /** How long ago a worker may have been heard of, milliseconds. */
  within: number;
}): () => Promise<QueuePicture> {
  const { db, lanes, within } = params;
  const briefly = createBriefly<QueuePicture>({ freshMs: () => FRESH_MS, most: 1 });
  const look = async (): Promise<QueuePicture> => {
    const now = await databaseTime(db);
    const [views, census, rates, live] = await Promise.all([
      lanes().catch(() => undefined),
      countByQueue(db),
      queueRates(db, now),
      liveWorkers(db, { now, within }),
    ]);
    const workers = new Map<string, string[]>();
    for (const { id, queues, draining } of live)
      for (const queue of draining ? [] : queues) workers.set(queue, [...(workers.get(queue) ?? []), id]);
    const slots = new Map(live.map(({ id, concurrency }) => [id, concurrency]));
    return { lanes: views && Map.groupBy(views, ({ queue }) => queue), census, rates, workers, slots };
  };
  return () => briefly('queues', look);
}
