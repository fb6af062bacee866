import { checkName } from '@jetbeat/core';
import { JetStreamApiError, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { ServerUnfitError } from '../connection/errors.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { orUndefined } from '../connection/or-undefined.ts';
import { differs } from './differs.ts';
import { ensureConsumer, ensureQueues } from './ensure-consumers.ts';
import { overlap, streamName } from './names.ts';
import { storedBefore } from './stored-before.ts';
import {
  recorderConsumer,
  type StreamWanted,
  type TopologySettings,
  wantedStreams,
} from './stream-config.ts';

/** What an installation needs of JetStream. What has a default and is not said is left as it is in a stream that is there. */
export interface TopologyParams {
  /** Queues whose consumers must be there. Those of other queues are left alone. */
  readonly queues: readonly string[];
  /** After this time without a sign of life a job is handed out again, in milliseconds. */
  readonly ackWaitMs: number;
  /** Default 1. */
  readonly replicas?: number;
  /** Bound of EVENTS, reserved by the server at once. Default 1 GiB. */
  readonly eventsMaxBytes?: number;
  /** Default 120,000. */
  readonly duplicateWindowMs?: number;
}

/** Message schedules with their fixes came with the API level of nats-server 2.14. */
const API_LEVEL = 4;

/**
 * Makes the streams, buckets and consumers that are missing and changes those that differ. May be called at any time,
 * by many processes at once, and again after the server has lost its store.
 * @throws ServerUnfitError when JetStream is off, older than nats-server 2.14, or too small
 * @throws QueuesUnmadeError, which is one, when all is there but the consumers of some queues
 * @throws JetStreamCallError when it does not answer in time
 */
export async function ensureTopology(bus: Bus, params: TopologyParams): Promise<void> {
  const inner = inside(bus);
  const queues = [...new Set(params.queues)].map((queue) => checkName('queue', queue));
  const settings: TopologySettings = {
    ackWaitMs: params.ackWaitMs,
    replicas: params.replicas ?? 1,
    eventsMaxBytes: params.eventsMaxBytes ?? 1024 ** 3,
    duplicateWindowMs: params.duplicateWindowMs ?? 120_000,
  };
  try {
    await checkServer(inner);
    const open = unsaid(params);
    await Promise.all(wantedStreams(inner, settings).map((wanted) => ensureStream(inner, wanted, open)));
    await ensureConsumer(inner, streamName(inner, 'EVENTS'), recorderConsumer());
    // Noted by whoever sees a new server first, while little was stored in its time.
    await storedBefore(bus);
    await ensureQueues(inner, { queues, ackWaitMs: settings.ackWaitMs });
  } catch (error) {
    throw error instanceof JetStreamApiError ? unfit(error, settings) : error;
  }
}

async function checkServer(bus: BusConnection): Promise<void> {
  const account = await manage(bus, 'the state of JetStream', (jsm) => jsm.getAccountInfo()).catch(
    (cause) => {
      if (!bus.connected || bus.nc.info?.jetstream) throw cause;
      throw new ServerUnfitError('JetStream is off on this nats-server: start it with -js', { cause });
    },
  );
  // The client's type leaves the level out; the server has sent it since 2.11.
  const level = (account.api as { level?: number }).level ?? 0;
  if (level >= API_LEVEL) return;
  const version = bus.nc.info?.version ?? 'of an unknown version';
  throw new ServerUnfitError(
    `nats-server ${version} has JetStream API level ${level}, Jetbeat needs ${API_LEVEL}: install nats-server 2.14 or newer`,
  );
}

/** The settings of streams for which the caller has said nothing: an operator may have set them. */
function unsaid(params: TopologyParams): ReadonlySet<string> {
  const names = new Set<string>();
  if (params.replicas === undefined) names.add('num_replicas');
  if (params.eventsMaxBytes === undefined) names.add('max_bytes');
  if (params.duplicateWindowMs === undefined) names.add('duplicate_window');
  return names;
}

async function ensureStream(
  bus: BusConnection,
  wanted: StreamWanted,
  open: ReadonlySet<string>,
): Promise<void> {
  const asked = Object.entries(wanted).filter(([key]) => !open.has(key));
  const update = (jsm: JetStreamManager, found: StreamConfig) =>
    updateStream(jsm, { ...Object.fromEntries(asked), name: wanted.name }, found);
  await manage(bus, `stream ${wanted.name}`, async (jsm) => {
    const found = await orUndefined(() => jsm.streams.info(wanted.name), API.streamNotFound);
    if (found) return update(jsm, found.config);
    try {
      await orUnbounded(wanted, (one) => jsm.streams.add(one));
    } catch (error) {
      // Another process was faster, with other settings.
      if (!isApiError(error, API.streamInUse)) throw error;
      await update(jsm, (await jsm.streams.info(wanted.name)).config);
    }
  });
}

async function updateStream(jsm: JetStreamManager, wanted: StreamWanted, found: StreamConfig): Promise<void> {
  const asked = { ...wanted, subjects: withFound(wanted.subjects ?? [], found.subjects ?? []) };
  // An operator may allow more.
  if (found.max_consumers >= (asked.max_consumers ?? 0)) delete asked.max_consumers;
  if (!differs(asked, found)) return;
  await orUnbounded(asked, async ({ name, storage: _storage, retention: _retention, ...changes }) => {
    if (differs(changes, found)) await jsm.streams.update(name, changes);
  });
}

/**
 * Again without a bound of consumers where it is refused with one: by an account that allows fewer (error 10026), and by a nats-server before
 * 2.15, which changes none of a stream that is there (10052) and has no bound by default.
 */
async function orUnbounded(
  wanted: StreamWanted,
  call: (wanted: StreamWanted) => Promise<unknown>,
): Promise<void> {
  try {
    await call(wanted);
  } catch (error) {
    const { max_consumers: bound, ...rest } = wanted;
    if (bound === undefined || !isApiError(error, API.tooManyConsumers, API.streamConfigInvalid)) throw error;
    await call(rest);
  }
}

/** No subject is taken away, unless others cover it: apps of another version may use it at this moment. */
function withFound(wanted: readonly string[], found: readonly string[]): string[] {
  const kept = found.filter((one) => wanted.includes(one) || !wanted.some((other) => overlap(one, other)));
  return [...kept, ...wanted.filter((one) => !kept.includes(one))];
}

function unfit(error: JetStreamApiError, settings: TopologySettings): ServerUnfitError {
  const room = isApiError(error, API.storageExceeded, API.insufficientResources);
  const help = room
    ? `: the server's file store has no room for EVENTS (${settings.eventsMaxBytes} bytes); raise its max_file_store or lower that bound (storage.events)`
    : '';
  return new ServerUnfitError(
    `JetStream refuses what Jetbeat needs (${error.message}, error ${error.code})${help}`,
    { cause: error },
  );
}
