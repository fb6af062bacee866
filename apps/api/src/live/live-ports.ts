import { eventsState, readEvents } from '@jetbeat/jetstream';
import { type Database, jobMarks, liveCallers } from '@jetbeat/postgres';
import { connected } from '../jobs/reach-ports.ts';
import type { Messaging } from '../messaging.ts';
import { callerKey } from './admission.ts';
import type { LivePorts } from './live-events.ts';

/** Streams on the real servers. */
export function createLivePorts(params: {
  readonly db: Database;
  /** Undefined while NATS has not answered yet. */
  readonly messaging: () => Messaging | undefined;
}): LivePorts {
  const { db, messaging } = params;
  return {
    isConnected: () => messaging()?.bus.connected ?? false,
    stand: async () => eventsState(connected(params).bus),
    readEvents: async (range) => readEvents(connected(params).bus, range),
    // Whoever is not found here is sent away.
    async stillMay(callers) {
      const known = callers.flatMap(({ kind, id, hash }) => (hash === undefined ? [] : [{ kind, id, hash }]));
      return new Set((await liveCallers(db, known)).map(callerKey));
    },
    jobMarks: (ids) => jobMarks(db, ids),
  };
}
