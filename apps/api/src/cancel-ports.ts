import { setTimeout as sleep } from 'node:timers/promises';
import { cancelledReason } from '@jetbeat/core';
import { beginCancel, cancelJob, noteCancelling, withdrawCancel } from '@jetbeat/postgres';
import type { CancelPorts } from './cancel-job.ts';
import { connected, createReachPorts, type ReachParams } from './reach-ports.ts';

const PAUSE_MS = 50;

/** Cancelling on the real servers. */
export function createCancelPorts(params: ReachParams): CancelPorts {
  const { db, clock } = params;
  return {
    ...createReachPorts(params),
    begin: (id, reason) => beginCancel(db, { id, now: clock(), ...(reason === undefined ? {} : { reason }) }),
    end: (id, reason) =>
      cancelJob(db, { id, now: clock(), reason: cancelledReason(reason ?? 'cancelled before it began') }),
    stopping: (id, running) => noteCancelling(db, { id, now: clock(), ...(running ? { running } : {}) }),
    mark: (id, reason) => connected(params).cancelled.put(id, reason),
    async unmark(id) {
      if (await withdrawCancel(db, id).catch(() => true)) await connected(params).cancelled.remove(id);
    },
    pause: () => sleep(PAUSE_MS),
  };
}
