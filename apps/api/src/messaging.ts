import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bus,
  BusUnreachableError,
  type CancelledKeys,
  connectBus,
  createEventPublisher,
  type EventPublisher,
  JetStreamCallError,
  keepTopology,
  openCancelled,
  type StorageWatch,
  watchStorage,
} from '@jetbeat/jetstream';
import { type Config, type Log, natsOptions } from '@jetbeat/runtime';

/** What the API has of NATS. */
export interface Messaging {
  readonly bus: Bus;
  readonly cancelled: CancelledKeys;
  readonly storage: StorageWatch;
  /** Of what the API itself has done. */
  readonly events: EventPublisher;
}

/** Messaging that may come later than the start. */
export interface MessagingLater {
  /** Undefined until NATS has answered for the first time. */
  now(): Messaging | undefined;
  close(): Promise<void>;
}

/** How long the start waits for NATS; jobs are accepted without it. Milliseconds. */
const START_WAIT_MS = 3_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

/**
 * Connects to NATS and makes what is missing there. Where it does not answer within 3 s the start goes on without it, and
 * connecting is tried for as long as it takes: what the API accepts meanwhile is published by the recorder.
 * @throws ServerUnfitError and whatever else is no passing matter, if it shows at once
 */
export async function connectMessaging(params: { config: Config; log: Log }): Promise<MessagingLater> {
  const { log } = params;
  const closing = new AbortController();
  let found: Messaging | undefined;

  const tryOnce = async (): Promise<boolean> => {
    try {
      found = await connectOnce(params);
      return true;
    } catch (err) {
      if (!(err instanceof BusUnreachableError || err instanceof JetStreamCallError)) throw err;
      log.warn({ err }, 'NATS does not answer; jobs are accepted and wait for it');
      return false;
    }
  };
  const keepTrying = async () => {
    for (let pause = FIRST_PAUSE_MS; !closing.signal.aborted; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      await sleep(pause, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted || (await tryOnce())) return;
    }
  };

  const connecting = (await tryOnce())
    ? Promise.resolve()
    : keepTrying().catch((err: unknown) =>
        log.error({ err }, 'NATS cannot be used; mend it and start the API again'),
      );
  let closed: Promise<void> | undefined;
  const close = async () => {
    closing.abort();
    await connecting;
    await found?.cancelled.close();
    await found?.bus.close();
  };
  return {
    now: () => found,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

async function connectOnce({ config, log }: { config: Config; log: Log }): Promise<Messaging> {
  const options = { ...natsOptions(config), name: 'jetbeat api', log, connectTimeoutMs: START_WAIT_MS };
  const bus = await connectBus(options);
  try {
    const { queues, ackWaitMs, storage } = config;
    await keepTopology(bus, { queues, ackWaitMs, eventsMaxBytes: storage.events });
    const events = createEventPublisher(bus, { log });
    return { bus, cancelled: openCancelled(bus, { log }), storage: watchStorage(bus), events };
  } catch (error) {
    await bus.close();
    throw error;
  }
}
