import {
  type InputOf,
  InvalidInputError,
  type SettingsInput,
  summary,
  type TaskRef,
  unknownFields,
} from '@jetbeat/core';
import { connectBus, createEventPublisher, type Log, silentLog, watchStorage } from '@jetbeat/jetstream';
import { createAccepted } from './accepted.ts';
import { enqueue } from './enqueue.ts';
import { enqueueMany, type ItemWithOptions } from './enqueue-many.ts';
import type { EnqueueOptions } from './prepare.ts';
import type { Way } from './publish.ts';
import { type JobHandle, jobHandle, type SentJob } from './result.ts';
import { createRoom } from './room.ts';
import { ownSettings, watchedSettings } from './settings.ts';

/** Where Jetbeat's NATS is. */
export interface ClientOptions {
  /** One or more addresses, comma separated. Default: that of the embedded server, `nats://127.0.0.1:7432`. */
  readonly servers?: string | undefined;
  /** The installation's namespace (`JETBEAT_NAMESPACE`). Default none. */
  readonly namespace?: string | undefined;
  /** Shown by the monitoring of NATS. Default `jetbeat client`. */
  readonly name?: string | undefined;
  /** Path of a credentials file. */
  readonly credsFile?: string | undefined;
  /** Path of the certificate authority's file; with it TLS is required. */
  readonly caFile?: string | undefined;
  /**
   * `routing`, `tasks` and `defaults` as in `jetbeat.yaml`. Default: those of the installation's recorders, which are
   * followed while the connection lasts.
   */
  readonly settings?: SettingsInput | undefined;
  /** A pino logger fits. Default: silent. */
  readonly log?: Log | undefined;
}

/** A connection that jobs are enqueued over. */
export interface Client {
  /**
   * Enqueues a job and resolves when JetStream has it. With a task the input is checked first; by name (with
   * `enqueue<typeof sendReport>('report.send', …)` for its types) the worker checks it, and queue, priority and expiry are
   * those of the configuration unless the call says otherwise.
   * @throws InvalidInputError for a wrong option or input
   * @throws EnqueueError when JetStream did not confirm it; it carries the job's id
   */
  enqueue<Ref extends TaskRef>(
    task: Ref | string,
    input: InputOf<Ref>,
    options?: EnqueueOptions,
  ): Promise<SentJob>;
  /**
   * Enqueues a job per item and resolves with the jobs, in the same order. The items may come from an (async) iterable;
   * only about two thousand are held at a time. When storage fills up, it waits up to 30 s for room.
   * @throws EnqueueManyError when some items did not become jobs; it carries those that did
   */
  enqueueMany<Ref extends TaskRef>(
    task: Ref | string,
    items: Items<InputOf<Ref> | ItemWithOptions<InputOf<Ref>>>,
  ): Promise<SentJob[]>;
  /**
   * A job that was enqueued elsewhere, or before, to wait for its result.
   * @throws InvalidInputError for what is no job id
   */
  job(id: string): JobHandle;
  /** Ends the connection, after history was told of the last jobs (at most 5 s). Twice is safe. */
  close(): Promise<void>;
}

type Items<T> = Iterable<T> | AsyncIterable<T>;

const FIELDS = ['servers', 'namespace', 'name', 'credsFile', 'caFile', 'settings', 'log'];
const EMBEDDED = 'nats://127.0.0.1:7432';
const TELL_MS = 5_000;

/**
 * Connects to Jetbeat's NATS.
 * @throws InvalidInputError for an unknown option, a namespace that cannot be one, or wrong settings
 * @throws BusUnreachableError when there is no server, or it refuses the credentials
 */
export async function connect(options: ClientOptions = {}): Promise<Client> {
  const issues = unknownFields(options, FIELDS);
  if (issues.length > 0) throw new InvalidInputError(summary('the options of connect', issues), issues);
  const { namespace, credsFile, caFile } = options;
  const log = options.log ?? silentLog;
  const own = options.settings && ownSettings(options.settings);
  const bus = await connectBus({
    servers: options.servers ?? EMBEDDED,
    name: options.name ?? 'jetbeat client',
    ...(namespace === undefined ? {} : { namespace }),
    ...(credsFile === undefined ? {} : { credsFile }),
    ...(caFile === undefined ? {} : { caFile }),
    log,
  });
  const accepted = createAccepted(createEventPublisher(bus, { log }), log);
  const settings = own ?? watchedSettings(bus, log);
  await settings.begun;
  const way: Way = { bus, accepted, room: createRoom(watchStorage(bus)), settings };
  let closed: Promise<void> | undefined;
  const close = async () => {
    await accepted.close(TELL_MS);
    await bus.close();
  };
  return {
    enqueue: (task, input, callOptions) => enqueue(way, task, input, callOptions),
    enqueueMany: (task, items) => enqueueMany(way, task, items),
    job: (id) => jobHandle(bus, id),
    close: () => (closed ??= close()),
  };
}
