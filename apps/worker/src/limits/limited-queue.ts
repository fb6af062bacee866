import type { Held } from '../held.ts';
import type { QueueRate } from './queue-rate.ts';
import type { QueueWaiting } from './queue-waiting.ts';

/** A queue with a limit over all workers, as one worker knows it. */
export interface LimitedQueue {
  readonly name: string;
  /** Slots under which jobs may run here, what is noted as this worker's, and the lease under which that is. */
  have: number;
  noted: number;
  lease: string | undefined;
  readonly rate: QueueRate;
  readonly used: Set<Held>;
  readonly waiting: QueueWaiting;
  /** When there were last more slots than needed for the first time. */
  tooMany: number | undefined;
  changing: Promise<void> | undefined;
}

/**
 * The lease is lost, and all slots with it. What has not come to its turn asks again; what waits to begin is given back, and what
 * runs is stopped: both count until then.
 */
export function loseSlots(queue: LimitedQueue): void {
  queue.have = 0;
  for (const held of queue.used) {
    if (held.phase !== 'claiming' && held.phase !== 'asking') continue;
    queue.used.delete(held);
    held.queueSlot = false;
  }
}

/** Slots that are not needed are kept for so long, milliseconds. */
const KEEP_MS = 1_000;

/** Whether what is noted differs from what is needed, for long enough. */
export function differs(
  queue: LimitedQueue,
  needed: {
    readonly limit: number | undefined;
    readonly wanted: number;
    readonly lease: string | undefined;
    readonly stopped: boolean;
  },
): boolean {
  const { limit, wanted, lease, stopped } = needed;
  // A worker that stops may wait for one of its jobs for an hour, and begins no other.
  if (stopped) return queue.noted > queue.used.size;
  if (limit === undefined) return queue.noted > 0;
  const want = Math.min(limit, wanted);
  if (queue.lease !== lease || want > queue.have || queue.have > limit) return true;
  if (queue.have <= Math.max(want, queue.used.size)) queue.tooMany = undefined;
  else queue.tooMany ??= performance.now();
  return queue.tooMany !== undefined && performance.now() - queue.tooMany >= KEEP_MS;
}
