import {
  askHeld,
  deleteJobMessage,
  HistoryBehindError,
  readToEnd,
  removeParked,
  removeTimer,
  takeWaiting,
} from '@jetbeat/jetstream';
import { type Database, databaseTime, getJob, liveWorkers } from '@jetbeat/postgres';
import type { Messaging } from '../messaging.ts';
import { ApiError } from '../problems/problem.ts';
import type { ReachPorts } from './reach-job.ts';

/** How long the workers may take to say whether they have begun a job, milliseconds. */
const ASK_TIMEOUT_MS = 1_000;
/** How long history may take to catch up, milliseconds. */
const CAUGHT_UP_MS = 2_000;

/** What reaching jobs needs. */
export interface ReachParams {
  readonly db: Database;
  /** Undefined while NATS has not answered yet. */
  readonly messaging: () => Messaging | undefined;
  readonly ackWaitMs: number;
  readonly clock: () => number;
}

/**
 * What there is of NATS.
 * @throws ApiError messaging_unavailable
 */
export function connected({ messaging }: Pick<ReachParams, 'messaging'>): Messaging {
  const found = messaging();
  if (found) return found;
  throw new ApiError('messaging_unavailable', 'NATS does not answer; repeat later', { retryAfter: 5 });
}

/** Reaching jobs on the real servers. */
export function createReachPorts(params: ReachParams): ReachPorts {
  const { db, messaging, ackWaitMs } = params;
  const theBus = () => connected(params).bus;
  return {
    look: (id) => getJob(db, id),
    removeWaiting: async (id, queue) =>
      (await removeTimer(theBus(), id)) + (await removeParked(theBus(), { id, queue })),
    takeWaiting: (id, seq) => takeWaiting(theBus(), { id, seq }),
    deleteMessage: (seq) => deleteJobMessage(theBus(), seq),
    async caughtUp() {
      try {
        await readToEnd({ bus: theBus(), timeoutMs: CAUGHT_UP_MS });
      } catch (cause) {
        if (!(cause instanceof HistoryBehindError)) throw cause;
        const message = `cannot tell whether the job has ended: ${cause.message}; repeat later`;
        throw new ApiError('history_behind', message, { retryAfter: 2, cause });
      }
    },
    async ask(id, queue) {
      const workers = await liveWorkers(db, { now: await databaseTime(db), within: ackWaitMs });
      const expect = workers.filter((worker) => worker.queues.includes(queue)).map((worker) => worker.id);
      const { held, answered } = await askHeld(theBus(), {
        ids: [id],
        expect,
        timeoutMs: ASK_TIMEOUT_MS,
        cancel: true,
      });
      const found = held.get(id);
      const silent = expect.filter((worker) => !answered.has(worker));
      if (found?.begun !== true) return { silent };
      const { worker, position, settling = false } = found;
      return { silent, holder: { worker, settling, ...(position === undefined ? {} : { position }) } };
    },
    isConnected: () => messaging()?.bus.connected ?? false,
  };
}
