import { setTimeout as sleep } from 'node:timers/promises';
import { cancelledEvent, cancelledReason } from '@jetbeat/core';
import { beginCancel, cancelJob, getJob, noteCancelling } from '@jetbeat/postgres';
import type { CancelPorts } from './cancel-job.ts';
import { connected, createReachPorts, type ReachParams } from './reach-ports.ts';

const PAUSE_MS = 50;

/** Cancelling on the real servers. */
export function createCancelPorts(params: ReachParams): CancelPorts {
  const { db, clock } = params;
  return {
    ...createReachPorts(params),
    begin: (id, reason, audit) =>
      beginCancel(db, {
        id,
        now: clock(),
        ...(reason === undefined ? {} : { reason }),
        ...(audit === undefined ? {} : { audit }),
      }),
    async end(id, reason) {
      const why = cancelledReason(reason ?? 'cancelled before it began');
      const ended = await cancelJob(db, { id, now: clock(), reason: why });
      // Whoever follows only this job looks into history too, so that this may fail.
      if (ended?.cancelled) void tellCancelled(params, id).catch(() => {});
      return ended;
    },
    stopping: (id, running) => noteCancelling(db, { id, now: clock(), ...(running ? { running } : {}) }),
    mark: (id, reason) => connected(params).cancelled.put(id, reason),
    pause: () => sleep(PAUSE_MS),
  };
}

async function tellCancelled(params: ReachParams, id: string): Promise<void> {
  const job = await getJob(params.db, id);
  const event = job && cancelledEvent(job);
  if (event) await connected(params).events.publish(event);
}
