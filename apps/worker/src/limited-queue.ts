import type { Held } from './held.ts';
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
