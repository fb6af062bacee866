import type { Bus } from '@jetbeat/jetstream';
import { type Database, databaseTime, liveWorkers } from '@jetbeat/postgres';

/** How far back a worker may have been heard of last and still count as alive. */
export interface Hearing {
  /** Takes in whether NATS is connected now; called a few times a second. */
  note(connected: boolean): void;
  /** Milliseconds. */
  within(): number;
}

/** A worker reports when it is back, and every third of ack_wait (at most 5 s); a publish that hangs is repeated in 5 s. */
const REPORT_MS = 5_000;
const MAX_REPORT_MS = 10_000;

/**
 * Whoever has not been heard of within ack_wait is taken for dead, and its jobs run again. But while NATS was away
 * nobody could be heard, and nobody may be taken for dead for that: until all have had the time to report again, silence
 * counts only from when the connection was lost.
 * @param params.quietMs how long ago any worker was last heard of when this process began, in milliseconds
 */
export function createHearing(params: {
  ackWaitMs: number;
  quietMs: number;
  monotonic?: () => number;
}): Hearing {
  const { ackWaitMs, quietMs, monotonic = () => performance.now() } = params;
  const reportMs = Math.min(ackWaitMs + REPORT_MS, MAX_REPORT_MS);
  let gapMs = quietMs;
  let backAt = monotonic();
  let heardAt = backAt;
  let connectedBefore = true;
  return {
    note(connected) {
      const now = monotonic();
      if (connected) {
        if (!connectedBefore) {
          // A second outage before all could report again prolongs the first.
          gapMs = heardAt - backAt < reportMs ? gapMs + (now - backAt) : now - heardAt;
          backAt = now;
        }
        heardAt = now;
      }
      connectedBefore = connected;
    },
    within() {
      const connectedMs = monotonic() - backAt;
      return connectedMs < reportMs ? ackWaitMs + gapMs + connectedMs : ackWaitMs;
    },
  };
}

const LISTEN_EVERY_MS = 250;
/** Workers last heard of before this say nothing about an outage now, in milliseconds. */
const LAST_HEARD_MS = 86_400_000;

/** A hearing that is kept up by the connection itself. It begins with when history last heard of any worker. */
export async function listen(params: {
  bus: Bus;
  db: Database;
  ackWaitMs: number;
}): Promise<Hearing & { stop(): Promise<void> }> {
  const { bus, db, ackWaitMs } = params;
  const now = await databaseTime(db);
  const workers = await liveWorkers(db, { now, within: LAST_HEARD_MS });
  const quietMs =
    workers.length === 0 ? 0 : Math.max(0, Math.min(...workers.map(({ heardAt }) => now - heardAt)));
  const hearing = createHearing({ ackWaitMs, quietMs });
  const timer = setInterval(() => hearing.note(bus.connected), LISTEN_EVERY_MS);
  return {
    ...hearing,
    async stop() {
      clearInterval(timer);
    },
  };
}
