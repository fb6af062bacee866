import { type Bus, eventsState, storedAt } from '@jetbeat/jetstream';
import type { Database } from '@jetbeat/postgres';
import type { Check } from '@jetbeat/runtime';

/** Whether history gets on. */
export interface Progress {
  /** Looks once. */
  look(): Promise<void>;
  /** This recorder has recorded something. */
  gotOn(): void;
  /** Resolves when history was seen to be at the end of EVENTS, or getting there. */
  readonly begun: Promise<void>;
  readonly checks: () => Promise<Check[]>;
  /** How far history was behind EVENTS at the last look: batches, and the age of the oldest in milliseconds. */
  lag(): { readonly batches: number; readonly ageMs: number };
}

/** After so long without any progress, although there is something to record, the recorder is not ready. */
const STALLED_MS = 10_000;
const PING_MS = 1_500;

/** Watches that what is in EVENTS gets into PostgreSQL, whichever recorder does it. */
export function createProgress({
  bus,
  db,
  clock = Date.now,
}: {
  bus: Bus;
  db: Database;
  clock?: () => number;
}): Progress {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  let recorded = -1;
  let behind = 0;
  let progressAt = clock();
  let lookedAt = 0;
  let oldestAt: number | undefined;

  const recording = (): Check => {
    const stale = clock() - lookedAt > STALLED_MS;
    const stalled = behind > 0 && clock() - progressAt > STALLED_MS;
    const detail = stale ? 'EVENTS cannot be looked at' : `${behind} event batches behind`;
    return { name: 'recording', ok: !stale && !stalled, detail, lastProgressAt: progressAt };
  };
  return {
    begun,
    gotOn: begin,
    async look() {
      const { lastSeq, recordedUpTo } = await eventsState(bus);
      const first = recorded === -1;
      const moved = recordedUpTo !== recorded;
      recorded = recordedUpTo;
      behind = Math.max(0, lastSeq - recordedUpTo);
      lookedAt = clock();
      if (moved || behind === 0) progressAt = lookedAt;
      if (behind === 0 || (moved && !first)) begin();
      if (behind === 0) oldestAt = undefined;
      else if (moved || oldestAt === undefined)
        oldestAt = await storedAt(bus, { stream: 'EVENTS', seq: recordedUpTo + 1, subject: '>' });
    },
    // While nobody can look, what was the oldest grows older.
    lag: () => ({ batches: behind, ageMs: oldestAt === undefined ? 0 : Math.max(0, clock() - oldestAt) }),
    async checks() {
      return [{ name: 'nats', ok: bus.connected }, await databaseCheck(db), recording()];
    },
  };
}

async function databaseCheck(db: Database): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PING_MS} ms`)), PING_MS);
  });
  try {
    await Promise.race([db.ping(), late]);
    return { name: 'database', ok: true };
  } catch (error) {
    return { name: 'database', ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
