import { type Bus, connectBus, keepTopology } from '@jetbeat/jetstream';
import { type Database, migrate, openDatabase } from '@jetbeat/postgres';
import { CONNECT_MS, type Config, type Log, natsOptions, type Tracing, untilThere } from '@jetbeat/runtime';

/** Both servers, with everything in them that the scheduler builds on. */
export interface Connected {
  readonly bus: Bus;
  readonly db: Database;
  close(): Promise<void>;
}

/** Of the topology, where the default does not fit. */
export interface SchedulerTopology {
  /** Room of EVENTS, in bytes. */
  readonly eventsMaxBytes?: number;
}

const NAME = 'jetbeat scheduler';
const POOL_SIZE = 4;

interface ConnectParams {
  readonly config: Config;
  readonly log: Log;
  readonly topology?: SchedulerTopology;
  readonly instrument?: Tracing['instrumentPg'] | undefined;
  /** See `StartParams`. */
  readonly stopping?: AbortSignal | undefined;
}

/**
 * Connects to both servers, which may come later, and makes what is missing there, again whenever NATS comes back as another server: it may be an
 * empty one.
 * @throws BusUnreachableError, JetStreamCallError, DatabaseUnavailableError after a minute; ServerUnfitError
 */
export function connect(params: ConnectParams): Promise<Connected> {
  const { log, stopping } = params;
  return untilThere({ connect: () => connectOnce(params), log, stopping });
}

async function connectOnce(params: ConnectParams): Promise<Connected> {
  const { config, log, topology = {}, instrument } = params;
  const { queues, ackWaitMs, database, storage } = config;
  // This makes no connection yet.
  const db = await openDatabase({
    url: database.url,
    applicationName: NAME,
    poolSize: POOL_SIZE,
    log,
    instrument,
  });
  const bus = await connectBus({
    ...natsOptions(config),
    name: NAME,
    log,
    connectTimeoutMs: CONNECT_MS,
  }).catch(async (error: unknown) => {
    await db.close();
    throw error;
  });
  const close = async () => {
    await bus.close();
    await db.close();
  };
  const wanted = { queues, ackWaitMs, eventsMaxBytes: storage.events, ...topology };
  try {
    await Promise.all([keepTopology(bus, wanted), migrate(db, { log, leaveIndexes: true })]);
    return { bus, db, close };
  } catch (error) {
    await close();
    throw error;
  }
}
