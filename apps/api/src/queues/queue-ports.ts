import { PRIORITIES } from '@jetbeat/core';
import {
  consumerState,
  countWaiting,
  deleteQueueLanes,
  ensureTopology,
  hasQueueMessages,
  jobsStreamState,
  parkedInQueue,
  putQueueSettings,
  QueuesUnmadeError,
  viewJetStream,
  type WaitingCount,
} from '@jetbeat/jetstream';
import { countByQueue, type Database, type QueueRecord, settingsOf } from '@jetbeat/postgres';
import type { Messaging } from '../messaging.ts';
import { ApiError } from '../problems/problem.ts';
import { type QueuePicture, watchQueues } from './queue-picture.ts';

/** What steering queues asks of JetStream and PostgreSQL. */
export interface QueuePorts {
  picture(): Promise<QueuePicture>;
  /** Jobs of a queue that wait where no consumer is. Undefined where they cannot be counted, or NATS does not answer. */
  countWaiting(queue: string): Promise<readonly WaitingCount[] | undefined>;
  /** Tells every process what holds now. Throws ApiError `messaging_unavailable`: then the recorder will. */
  tell(queue: QueueRecord): Promise<void>;
  /** Makes the consumers of a queue, where NATS answers; else the recorder will. Throws ApiError `queue_unmade`. */
  makeLanes(queue: string): Promise<void>;
  /** Whether the configuration of this process names it, so that it is made again. */
  isConfigured(queue: string): boolean;
  /** Whether jobs of it wait, run or are parked. Throws ApiError `messaging_unavailable`. */
  hasMessages(queue: string): Promise<boolean>;
  /** Removes its consumers, where nothing waits on them; how many. Throws ApiError `messaging_unavailable`. */
  deleteLanes(queue: string): Promise<number>;
  /** What a purge would remove, and up to where. */
  countPurge(queue: string, timers: boolean): Promise<PurgeCount>;
  /** When the stream was made, the last sequence in it, and what time it is by NATS' clock, Unix milliseconds. */
  stream(): Promise<{ readonly created: number; readonly lastSeq: number; readonly now: number }>;
}

/** What was counted for a purge. */
interface PurgeCount {
  readonly waiting: number;
  readonly parked: number;
  readonly timers: number;
  /** Last sequence of JOBS when it was counted, and when the stream was made. */
  readonly upTo: number;
  readonly streamCreated: number;
  /** By NATS' clock, Unix milliseconds. */
  readonly at: number;
}

/** Steering queues on the real servers. */
export function createQueuePorts(params: {
  db: Database;
  /** Undefined while NATS has not answered yet. */
  messaging: () => Messaging | undefined;
  config: {
    readonly queues: readonly string[];
    readonly ackWaitMs: number;
    readonly storage: { readonly events: number };
  };
}): QueuePorts {
  const { db, messaging, config } = params;
  let view: { readonly of: Messaging; readonly look: ReturnType<typeof viewJetStream> } | undefined;
  const bus = () => {
    const found = messaging()?.bus;
    if (found?.connected) return found;
    throw new ApiError('messaging_unavailable', 'NATS does not answer; repeat later', { retryAfter: 5 });
  };
  const look = async () => {
    const found = messaging();
    if (!found?.bus.connected) return undefined;
    if (view?.of !== found) view = { of: found, look: viewJetStream(found.bus) };
    return view.look();
  };
  return {
    picture: watchQueues({ db, view: look, within: config.ackWaitMs }),
    async countWaiting(queue) {
      const found = messaging()?.bus;
      return found?.connected ? countWaiting(found, queue).catch(() => undefined) : undefined;
    },
    async tell(queue) {
      // Nobody has said anything of it.
      if (queue.version === 0) return;
      const text =
        'what was asked is stored, and holds for workers when NATS answers again; repeat to be sure';
      const found = messaging()?.bus;
      if (!found?.connected) throw new ApiError('messaging_unavailable', text, { retryAfter: 5 });
      await putQueueSettings(found, queue.name, settingsOf(queue)).catch((cause: unknown) => {
        throw new ApiError('messaging_unavailable', text, { retryAfter: 5, cause });
      });
    },
    async makeLanes(queue) {
      const found = messaging()?.bus;
      if (!found?.connected) return;
      const { ackWaitMs, storage } = config;
      const wanted = { queues: [queue], ackWaitMs, eventsMaxBytes: storage.events };
      await ensureTopology(found, wanted).catch((cause: unknown) => {
        if (!(cause instanceof QueuesUnmadeError)) throw cause;
        const text = `the settings of the queue are stored, but ${cause.message}`;
        throw new ApiError('queue_unmade', text, { retryAfter: 60, cause });
      });
    },
    isConfigured: (queue) => config.queues.includes(queue),
    hasMessages: async (queue) => hasQueueMessages(bus(), queue),
    deleteLanes: async (queue) => deleteQueueLanes(bus(), queue),
    async countPurge(queue, timers) {
      const { created, lastSeq, now } = await jobsStreamState(bus());
      const states = await Promise.all(PRIORITIES.map((priority) => consumerState(bus(), queue, priority)));
      const waiting = states.reduce((sum, { pending }) => sum + pending, 0);
      const parked = await parkedInQueue(bus(), queue);
      const census = timers ? await countByQueue(db, queue) : { counts: [] };
      const later = census.counts.filter(({ state }) => state === 'scheduled' || state === 'retrying');
      return {
        waiting,
        parked,
        timers: later.reduce((sum, { jobs }) => sum + jobs, 0),
        upTo: lastSeq,
        streamCreated: created,
        at: now,
      };
    },
    stream: () => jobsStreamState(bus()),
  };
}
