import { BusClosedError, type JetStreamView, type Publisher, viewJetStream } from '@jetbeat/jetstream';
import { type Database, databaseTime, takeCensus } from '@jetbeat/postgres';
import { createCells, type Metrics, measureNats, type Readings, storageReadings } from '@jetbeat/runtime';
import { readFleet } from '../fleet/fleet-readings.ts';
import type { InsertJob } from '../jobs/inserter.ts';
import type { Messaging, MessagingLater } from '../messaging.ts';

/** Series of queues; callers choose the names. */
const MAX_QUEUES = 100;

/**
 * Puts on `/metrics` what the API knows beside its requests: the jobs it took, its connection, and the fleet.
 * @returns `counted`: counts the jobs that it inserts
 */
export function observeApi(params: {
  metrics: Pick<Metrics, 'observe'>;
  db: Database;
  messaging: Pick<MessagingLater, 'now'>;
  publisher: Pick<Publisher, 'waiting'>;
  ackWaitMs: number;
}): { counted(insert: InsertJob): InsertJob } {
  const { metrics, db, messaging, publisher, ackWaitMs } = params;
  const accepted = createCells<'queue', number>({ open: 'queue', make: () => 0, max: MAX_QUEUES });
  metrics.observe(() => ({
    jetbeat_api_jobs_accepted_total: accepted.all,
    jetbeat_api_jobs_unpublished: publisher.waiting,
  }));
  const of = perConnection();
  const connected = messaging.now();
  // So that the first reconnect counts even where nobody has scraped yet.
  if (connected) of(connected);
  metrics.observe(() => {
    const connected = messaging.now();
    return connected ? of(connected).readings() : { jetbeat_nats_connected: 0 };
  });
  metrics.observe(
    readFleet({
      sources: {
        jetstream: async () => {
          const connected = messaging.now();
          if (!connected?.bus.connected) throw new BusClosedError();
          return of(connected).view();
        },
        postgresql: async () => takeCensus(db, { now: await databaseTime(db), within: ackWaitMs }),
      },
    }),
  );
  return {
    counted: (insert) => async (job, audit) => {
      const existed = await insert(job, audit);
      if (!existed) accepted.of({ queue: job.envelope.queue }).value += 1;
      return existed;
    },
  };
}

interface OfConnection {
  readonly view: () => Promise<JetStreamView>;
  readonly readings: () => Readings;
}

/** What is measured of a connection begins with its first use; the API may get one later than its start. */
function perConnection(): (messaging: Messaging) => OfConnection {
  let made: { readonly bus: Messaging['bus']; readonly parts: OfConnection } | undefined;
  return ({ bus, storage }) => {
    if (made?.bus === bus) return made.parts;
    const nats = measureNats(bus);
    const readings = () => {
      const { last, refusal } = storage;
      const level = last && storageReadings({ figures: last.figures, refusing: refusal !== undefined });
      return { ...nats(), ...level };
    };
    made = { bus, parts: { view: viewJetStream(bus), readings } };
    return made.parts;
  };
}
