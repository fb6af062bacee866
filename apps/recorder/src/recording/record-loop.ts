import { setTimeout as sleep } from 'node:timers/promises';
import type { EventDelivery, EventSource } from '@jetbeat/jetstream';
import { databaseTime } from '@jetbeat/postgres';
import { type RecordParams, recordDeliveries } from './record.ts';

/** What the loop around `recordDeliveries` needs besides. */
export interface RecordLoopParams extends RecordParams {
  readonly source: EventSource;
  /** After this long without PostgreSQL, what is held goes back to JetStream, in milliseconds. */
  readonly holdMs: number;
}

/** The loop that keeps history up to date. */
export interface RecordLoop {
  start(): void;
  /** Resolves when what was under way is recorded, or given back. */
  stop(): Promise<void>;
}

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;

/**
 * Pulls and records for ever. What memory holds is bounded by two pulls: the one being recorded, and the one that the
 * source fetches ahead. Without PostgreSQL it pulls no further, tries again with a growing delay, and in time gives back what it
 * holds, so that a recorder which can reach PostgreSQL gets it.
 */
export function createRecordLoop(params: RecordLoopParams): RecordLoop {
  const { source, db, log, tally, holdMs } = params;
  const ended = new AbortController();
  let running: Promise<void> | undefined;

  const run = async () => {
    while (!ended.signal.aborted) {
      const deliveries = await source.next();
      if (deliveries.length > 0) await recordOrGiveBack(deliveries);
    }
  };

  const recordOrGiveBack = async (deliveries: readonly EventDelivery[]) => {
    const givenUpAt = performance.now() + holdMs;
    for (let delay = FIRST_BACKOFF_MS; ; delay = Math.min(2 * delay, MAX_BACKOFF_MS)) {
      try {
        const begun = performance.now();
        await recordDeliveries(params, deliveries);
        tally.transactions.record((performance.now() - begun) / 1_000);
        return;
      } catch (error) {
        if (delay === FIRST_BACKOFF_MS) tally.counts.failures += 1;
        log.warn(
          { err: error, batches: deliveries.length, retryInMs: delay },
          'history cannot be written; trying again',
        );
      }
      await pause(delay, ended.signal);
      if (ended.signal.aborted || performance.now() + delay > givenUpAt) break;
    }
    for (const delivery of deliveries) delivery.nak();
    await untilReachable(db, ended.signal);
  };

  return {
    start() {
      running ??= run();
    },
    async stop() {
      ended.abort();
      await source.close();
      await running;
    },
  };
}

async function untilReachable(db: RecordParams['db'], ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    try {
      await databaseTime(db);
      return;
    } catch {
      await pause(MAX_BACKOFF_MS / 4, ended);
    }
  }
}

/** Waits, or ends sooner when the loop does. */
async function pause(ms: number, ended: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: ended }).catch(() => {});
}
