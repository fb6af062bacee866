import type { Delivery } from '@jetbeat/jetstream';
import { type Instant, instant } from '../ends/own-retries.ts';
import type { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';
import { keep } from '../keep-alive/keep.ts';
import type { KeepAlive } from '../keep-alive/keep-alive.ts';

/** Composes how deliveries are taken in, all that have come together. */
export function createAdmit(params: {
  jobs: Pick<HeldJobs, 'get'>;
  keepAlive: Pick<KeepAlive, 'hold' | 'release'>;
  take: (delivery: Delivery, at: Instant) => Held | undefined;
  onAdmitted: () => void;
}): (deliveries: readonly Delivery[]) => void {
  const { jobs, keepAlive, take, onAdmitted } = params;
  const isHeld = (held: Held) => jobs.get(held.job.id) === held;
  return (deliveries) => {
    const at = instant();
    // Before any handler begins: a handler may block the event loop from its first line on.
    keep(keepAlive, isHeld, deliveries, (delivery) => take(delivery, at));
    onAdmitted();
  };
}
