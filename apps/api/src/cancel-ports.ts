import {
  askHeld,
  consumerState,
  deleteJobMessage,
  HistoryBehindError,
  readToEnd,
  removeParked,
  removeTimer,
} from '@jetbeat/jetstream';
import {
  beginCancel,
  cancelJob,
  type Database,
  databaseTime,
  getJob,
  liveWorkers,
  withdrawCancel,
} from '@jetbeat/postgres';
import type { CancelPorts } from './cancel-job.ts';
import type { Messaging } from './messaging.ts';
import { ApiError } from './problem.ts';

/** How long the workers may take to say whether they have begun a job, milliseconds. */
const ASK_TIMEOUT_MS = 1_000;
/** How long history may take to catch up, milliseconds. */
const CAUGHT_UP_MS = 2_000;

/** Cancelling on the real servers. */
export function createCancelPorts(params: {
  db: Database;
  /** Undefined while NATS has not answered yet. */
  messaging: () => Messaging | undefined;
  ackWaitMs: number;
  clock: () => number;
}): CancelPorts {
  const { db, messaging, ackWaitMs, clock } = params;
  const connected = (): Messaging => {
    const found = messaging();
    if (!found)
      throw new ApiError('messaging_unavailable', 'NATS does not answer; repeat later', { retryAfter: 5 });
    return found;
  };
  const theBus = () => connected().bus;
  return {
    look: (id) => getJob(db, id),
    begin: (id, reason) => beginCancel(db, { id, now: clock(), ...(reason === undefined ? {} : { reason }) }),
    end: (id, reason) =>
      cancelJob(db, {
        id,
        now: clock(),
        reason: { code: 'cancelled', text: reason ?? 'cancelled before it began' },
      }),
    mark: (id, reason) => connected().cancelled.put(id, reason),
    async unmark(id) {
      if (await withdrawCancel(db, id).catch(() => true)) await connected().cancelled.remove(id);
    },
    removeWaiting: async (id, queue) =>
      (await removeTimer(theBus(), id)) + (await removeParked(theBus(), { id, queue })),
    handedOut: async (queue, priority) => (await consumerState(theBus(), queue, priority)).delivered,
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
      return {
        begun: held.get(id)?.begun ?? false,
        silent: expect.filter((worker) => !answered.has(worker)),
      };
    },
    isConnected: () => messaging()?.bus.connected ?? false,
  };
}
