import { type Bus, connectBus, ensureTopology, keepTopology } from '@jetbeat/jetstream';
import { type Database, migrate, openDatabase } from '@jetbeat/postgres';
import { type Config, type Log, natsOptions, type Tracing } from '@jetbeat/runtime';

/** Of the topology, where the default does not fit. */
export interface RecorderTopology {
  /** Room of EVENTS, in bytes. */
  readonly eventsMaxBytes?: number;
  /** In milliseconds. */
  readonly duplicateWindowMs?: number;
}

/** Both servers, with everything in them that the recorder builds on. */
export interface Connected {
  readonly bus: Bus;
  readonly db: Database;
  /** Makes streams and consumers that are missing, also of these queues. */
  readonly topology: (more?: readonly string[]) => Promise<void>;
  close(): Promise<void>;
}

const NAME = 'jetbeat recorder';
const POOL_SIZE = 8;

/**
 * Connects to both servers and makes what is missing there, again whenever NATS comes back as another server: it may be
 * an empty one.
 * @throws BusUnreachableError, ServerUnfitError, DatabaseUnavailableError
 */
export async function connect(params: {
  config: Config;
  log: Log;
  topology?: RecorderTopology;
  instrument?: Tracing['instrumentPg'] | undefined;
}): Promise<Connected> {
  const { config, log, topology = {}, instrument } = params;
  const { queues, ackWaitMs } = config;
  const bus = await connectBus({
    ...natsOptions(config),
    name: NAME,
    log,
  });
  let db: Database | undefined;
  const close = async () => {
    await bus.close();
    await db?.close();
  };
  try {
    const wanted = { queues, ackWaitMs, eventsMaxBytes: config.storage.events, ...topology };
    await keepTopology(bus, wanted);
    db = await openDatabase({
      url: config.database.url,
      applicationName: NAME,
      poolSize: POOL_SIZE,
      log,
      instrument,
    });
    await migrate(db, { log, leaveIndexes: true });
    return {
      bus,
      db,
      topology: (more = []) => ensureTopology(bus, { ...wanted, queues: [...queues, ...more] }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
