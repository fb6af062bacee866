import { type Bus, connectBus, ensureTopology, keepTopology } from '@jetbeat/jetstream';
import { type Database, migrate, openDatabase } from '@jetbeat/postgres';
import { CONNECT_MS, type Config, type Log, natsOptions, type Tracing, untilThere } from '@jetbeat/runtime';

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

interface ConnectParams {
  readonly config: Config;
  readonly log: Log;
  readonly topology?: RecorderTopology;
  readonly instrument?: Tracing['instrumentPg'] | undefined;
  /** See `StartParams`. */
  readonly stopping?: AbortSignal | undefined;
}

/**
 * Connects to both servers, which may come later, and makes what is missing there, again whenever NATS comes back as another server: it may be
 * an empty one.
 * @throws BusUnreachableError, JetStreamCallError, DatabaseUnavailableError after a minute; ServerUnfitError
 */
export function connect(params: ConnectParams): Promise<Connected> {
  const { log, stopping } = params;
  return untilThere({ connect: () => connectOnce(params), log, stopping });
}

async function connectOnce(params: ConnectParams): Promise<Connected> {
  const { config, log, topology = {}, instrument } = params;
  const { queues, ackWaitMs } = config;
  const bus = await connectBus({
    ...natsOptions(config),
    name: NAME,
    log,
    connectTimeoutMs: CONNECT_MS,
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
