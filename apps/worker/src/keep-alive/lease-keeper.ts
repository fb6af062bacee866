import { type Bus, type Lease, takeLease } from '@jetbeat/jetstream';
import { type LeaseMemory, leaseTime } from '../limits/lease-memory.ts';

/** Keeps the worker's lease, in the keep-alive thread. */
export interface LeaseKeeper {
  /** From now on a lease is held: taken if there is none. */
  want(): void;
  /** Ends it, unless a handler runs on under it: then it goes by itself. */
  stop(): Promise<void>;
}

const RETRY_MS = 500;
const CHECK_MS = 100;

/**
 * @param params.tell called with the name of each lease that was taken, and with nothing when it is lost
 * @param params.onOver handlers still run under a lease that others may soon take for gone
 */
export function keepLease(params: {
  readonly bus: Bus;
  readonly worker: string;
  readonly ttlMs: number;
  readonly memory: LeaseMemory;
  readonly tell: (name: string | undefined) => void;
  readonly onOver: () => void;
}): LeaseKeeper {
  const { bus, worker, ttlMs, memory, tell, onOver } = params;
  let lease: Lease | undefined;
  let taking = false;
  let renewing = false;
  let stopped = false;
  /** Whatever runs under a slot began when there was none yet: a limit was set later. */
  let begun = false;
  let retry: NodeJS.Timeout | undefined;

  const lose = () => {
    lease = undefined;
    tell(undefined);
  };
  const again = () => {
    clearTimeout(retry);
    retry = setTimeout(() => void take(), RETRY_MS);
  };
  const take = async () => {
    if (lease || taking || stopped) return;
    // A new one would free the slots of what still runs under the old one.
    if (begun && memory.running > 0) return again();
    taking = true;
    try {
      const sent = leaseTime();
      const taken = await takeLease(bus, worker);
      memory.renewed(sent);
      lease = taken;
      begun = true;
      tell(taken.name);
    } catch {
      again();
    } finally {
      taking = false;
    }
  };
  const renew = async () => {
    const renewed = lease;
    if (!renewed || renewing) return;
    renewing = true;
    const sent = leaseTime();
    const kept = await renewed.renew();
    renewing = false;
    if (lease !== renewed) return;
    if (kept) memory.renewed(sent);
    else if (kept === false) lose();
  };
  const check = () => {
    if (lease && memory.isLost) lose();
    if (begun && memory.running > 0 && memory.isOver) onOver();
  };
  const renewals = setInterval(() => void renew(), ttlMs / 4);
  const checks = setInterval(check, CHECK_MS);
  return {
    want: () => void take(),
    async stop() {
      stopped = true;
      clearTimeout(retry);
      clearInterval(renewals);
      clearInterval(checks);
      if (memory.running === 0) await lease?.end();
    },
  };
}
