import type { JetStreamView, LaneView, WaitingCount } from '@jetbeat/jetstream';
import {
  countByQueue,
  type Database,
  databaseTime,
  liveWorkers,
  type QueueCensus,
  type QueueCount,
  type QueueRate,
  queueRates,
} from '@jetbeat/postgres';
import { createBriefly } from '../briefly.ts';

/** What is going on in the queues, as of a moment ago. */
export interface QueuePicture {
  /** By queue; undefined while NATS does not answer. */
  readonly lanes: ReadonlyMap<string, readonly LaneView[]> | undefined;
  /** Jobs that wait where no consumer is, by queue; undefined where nobody has counted them: then `lanes` has none of them. */
  readonly unserved: ReadonlyMap<string, readonly WaitingCount[]> | undefined;
  /** Jobs that are not over, by queue: who shows thousands of queues does not look for each through all. */
  readonly counts: ReadonlyMap<string, readonly QueueCount[]>;
  /** States of which there are more than were counted. */
  readonly capped: QueueCensus['capped'];
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
  view: () => Promise<Pick<JetStreamView, 'lanes' | 'unserved'> | undefined>;
  /** How long ago a worker may have been heard of, milliseconds. */
  within: number;
}): () => Promise<QueuePicture> {
  const { db, view, within } = params;
  const briefly = createBriefly<QueuePicture>({ freshMs: () => FRESH_MS, most: 1 });
  const look = async (): Promise<QueuePicture> => {
    const now = await databaseTime(db);
    const [seen, census, rates, live] = await Promise.all([
      view().catch(() => undefined),
      countByQueue(db),
      queueRates(db, now),
      liveWorkers(db, { now, within }),
    ]);
    const workers = new Map<string, string[]>();
    for (const { id, queues, draining } of live)
      for (const queue of draining ? [] : queues) workers.set(queue, [...(workers.get(queue) ?? []), id]);
    const slots = new Map(live.map(({ id, concurrency }) => [id, concurrency]));
    const lanes = seen && Map.groupBy(seen.lanes, ({ queue }) => queue);
    const unserved = seen?.unserved && Map.groupBy(seen.unserved, ({ queue }) => queue);
    const counts = Map.groupBy(census.counts, ({ queue }) => queue);
    return { lanes, unserved, counts, capped: census.capped, rates, workers, slots };
  };
  return () => briefly('queues', look);
}

/** Names that only a job says, of those that history has counted: callers choose them. */
const MOST_NAMES = 1_000;

/** The queues of which there is anything but settings: consumers, workers, jobs that are not over. */
export function namesIn({ lanes, unserved, counts, workers }: QueuePicture): ReadonlySet<string> {
  const names = new Set([...(lanes?.keys() ?? []), ...(unserved?.keys() ?? []), ...workers.keys()]);
  const most = names.size + MOST_NAMES;
  for (const queue of counts.keys()) if (names.size < most) names.add(queue);
  return names;
}
