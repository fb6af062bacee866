import type { ConsumerConfig, JetStreamApiError, JetStreamManager } from '@nats-io/jetstream';
import type { BusConnection } from '../connection/bus.ts';
import { QueuesUnmadeError } from '../connection/errors.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { orUndefined } from '../connection/or-undefined.ts';
import { differs } from './differs.ts';
import { LANES, streamName } from './names.ts';
import { type ConsumerWanted, laneConsumer } from './stream-config.ts';

/** From so many queues on their consumers are read as a list, of 256 in one answer, and not one by one. */
const LIST_FROM = 8;

/**
 * Makes the consumers of queues that are missing and changes those that differ. One queue that cannot be made is no matter of the others.
 * @throws QueuesUnmadeError at the end, with the queues whose consumers the server refuses
 * @throws JetStreamCallError
 */
export async function ensureQueues(
  bus: BusConnection,
  { queues, ackWaitMs }: { readonly queues: readonly string[]; readonly ackWaitMs: number },
): Promise<void> {
  const stream = streamName(bus, 'JOBS');
  const known = queues.length < LIST_FROM ? undefined : await configsOf(bus, stream);
  const refused = new Map<string, JetStreamApiError>();
  for (const queue of queues) {
    const lanes = LANES.map((lane) => laneConsumer(bus, { queue, lane, ackWaitMs }));
    const missing = lanes.filter((wanted) => {
      const found = known?.get(wanted.durable_name);
      return !found || differs(changesOf(wanted), found);
    });
    const made = await Promise.allSettled(missing.map((wanted) => ensureConsumer(bus, stream, wanted)));
    for (const { reason } of made.filter((one) => one.status === 'rejected')) {
      // What else the server says is no matter of one queue, and may be otherwise in a moment.
      if (!isNoRoom(reason)) throw reason;
      refused.set(queue, reason);
    }
  }
  const [cause] = refused.values();
  if (cause) throw new QueuesUnmadeError([...refused.keys()], textOf(cause, stream), { cause });
}

/** The server, or our account, has no room for one more consumer. */
const isNoRoom = (error: unknown): error is JetStreamApiError =>
  isApiError(error, API.tooManyConsumers, API.insufficientResources, API.storageExceeded);

/** Makes a consumer that is missing, and changes one that differs. Throws JetStreamApiError, JetStreamCallError. */
export async function ensureConsumer(
  bus: BusConnection,
  stream: string,
  wanted: ConsumerWanted,
): Promise<void> {
  const name = wanted.durable_name;
  await manage(bus, `consumer ${name}`, async (jsm) => {
    const found = await orUndefined(() => jsm.consumers.info(stream, name), API.consumerNotFound);
    if (found) return update(jsm, stream, wanted, found.config);
    try {
      await jsm.consumers.add(stream, wanted);
    } catch (error) {
      if (!isApiError(error, API.consumerExists)) throw error;
      await update(jsm, stream, wanted, (await jsm.consumers.info(stream, name)).config);
    }
  });
}

async function update(
  jsm: JetStreamManager,
  stream: string,
  wanted: ConsumerWanted,
  found: object,
): Promise<void> {
  const changes = changesOf(wanted);
  if (differs(changes, found)) await jsm.consumers.update(stream, wanted.durable_name, changes);
}

/** `max_waiting` is fixed for the life of a consumer (error 10012), and making it anew would hand out what is being run. */
function changesOf({ max_waiting: _fixed, ...changes }: ConsumerWanted): Omit<ConsumerWanted, 'max_waiting'> {
  return changes;
}

function configsOf(bus: BusConnection, stream: string): Promise<Map<string, ConsumerConfig>> {
  return manage(bus, 'the list of consumers', async (jsm) => {
    const found = new Map<string, ConsumerConfig>();
    for await (const { name, config } of jsm.consumers.list(stream)) found.set(name, config);
    return found;
  });
}

function textOf(cause: JetStreamApiError, stream: string): string {
  const help = isApiError(cause, API.tooManyConsumers)
    ? `: it takes no more consumers, of which each queue has ${LANES.length}; delete queues that are not used, or raise max_consumers of the stream ${stream} and of its account`
    : '';
  return `nats-server refuses it (${cause.message}, error ${cause.code})${help}`;
}
