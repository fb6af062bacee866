import { decodeQueueSettings, encodeQueueSettings, type QueueSettings } from '@jetbeat/core';
import { Kvm } from '@nats-io/kv';
import { type Bus, type BusConnection, inside } from './bus.ts';
import { JetStreamCallError } from './errors.ts';
import { API, isApiError, manage } from './manage.ts';
import { bucketName } from './names.ts';

export type { QueueSettings } from '@jetbeat/core';

/** What a message of the bucket says; undefined for one that this version cannot read. */
export type ToldSettings = { readonly settings: QueueSettings | undefined } | undefined;

/** Settings as they are stored, and at which place of the bucket. */
interface StoredQueueSettings {
  readonly queue: string;
  readonly told: ToldSettings;
  readonly seq: number;
}

/** Conflicts with others who write the same key at the same time. */
const MAX_TRIES = 10;
const decoder = new TextDecoder();

/** Below this the settings of queues are told, in the bucket `limits`: `queue.<name>`. */
export function queueSettingsPrefix(bus: BusConnection): string {
  return `$KV.${bucketName(bus, 'limits')}.queue.`;
}

/**
 * Tells every process what holds for a queue now, unless something newer is told already (by `version`).
 * @throws JetStreamCallError, BusClosedError
 */
export async function putQueueSettings(bus: Bus, queue: string, settings: QueueSettings): Promise<void> {
  const inner = inside(bus);
  const text = encodeQueueSettings(settings);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await readQueue(inner, queue);
    const newest = found?.told?.settings;
    if (newest && (newest.version > settings.version || encodeQueueSettings(newest) === text)) return;
    if (await write(inner, { queue, text, seq: found?.seq ?? 0 })) return;
  }
  throw new JetStreamCallError(`the settings of queue ${queue}: somebody else was faster ${MAX_TRIES} times`);
}

/**
 * Makes what is told agree with the truth, whatever happened to either.
 * @param truth all queues that have settings; it is asked after what is told was read, so that what was told in between is not undone
 * @returns the queues whose settings were told anew or removed
 * @throws JetStreamCallError, BusClosedError, and what `truth` throws
 */
export async function mendQueueSettings(
  bus: Bus,
  truth: () => Promise<ReadonlyMap<string, QueueSettings>>,
): Promise<string[]> {
  const inner = inside(bus);
  const told = new Map<string, StoredQueueSettings>();
  for (let from = 1; ; ) {
    const next = await nextQueueSettings(inner, from);
    if (!next) break;
    told.set(next.queue, next);
    from = next.seq + 1;
  }
  const wanted = await truth();
  const mended: string[] = [];
  for (const queue of new Set([...wanted.keys(), ...told.keys()])) {
    const right = wanted.get(queue);
    const found = told.get(queue);
    const text = right && encodeQueueSettings(right);
    // What cannot be read and what was removed are alike here: both are replaced only by something.
    if (text === (found?.told?.settings && encodeQueueSettings(found.told.settings))) continue;
    if (await write(inner, { queue, text, seq: found?.seq ?? 0 })) mended.push(queue);
  }
  return mended;
}

/** The first settings at or after this place of the bucket; undefined when there are none. Read at the leader. */
export function nextQueueSettings(
  bus: BusConnection,
  from: number,
): Promise<StoredQueueSettings | undefined> {
  return read(bus, { seq: from, next_by_subj: `${queueSettingsPrefix(bus)}*` });
}

function readQueue(bus: BusConnection, queue: string): Promise<StoredQueueSettings | undefined> {
  return read(bus, { last_by_subj: `${queueSettingsPrefix(bus)}${queue}` });
}

async function read(
  bus: BusConnection,
  query: { last_by_subj: string } | { seq: number; next_by_subj: string },
): Promise<StoredQueueSettings | undefined> {
  return manage(bus, 'reading the settings of queues', async (jsm) => {
    try {
      const found = await jsm.streams.getMessage(`KV_${bucketName(bus, 'limits')}`, query);
      if (!found) return undefined;
      const queue = found.subject.slice(queueSettingsPrefix(bus).length);
      return { queue, told: readTold(found.data, found.header?.get('KV-Operation')), seq: found.seq };
    } catch (error) {
      if (isApiError(error, API.noMessage, API.streamNotFound)) return undefined;
      throw error;
    }
  });
}

/** Reads a message of the bucket; with an operation it says that nothing holds any more. */
export function readTold(data: Uint8Array, operation: string | undefined): ToldSettings {
  if (operation) return { settings: undefined };
  const settings = decodeQueueSettings(decoder.decode(data));
  return settings && { settings };
}

/** False when somebody else has written it in between. */
async function write(
  bus: BusConnection,
  { queue, text, seq }: { queue: string; text: string | undefined; seq: number },
): Promise<boolean> {
  const key = `queue.${queue}`;
  return manage(bus, `the settings of queue ${queue}`, async () => {
    const kv = await new Kvm(bus.nc).open(bucketName(bus, 'limits'), {
      bindOnly: true,
      allow_direct: false,
    });
    try {
      if (text === undefined) await kv.delete(key, { previousSeq: seq });
      else await kv.put(key, text, { previousSeq: seq });
      return true;
    } catch (error) {
      if (isApiError(error, API.wrongLastSequence, API.wrongLastSequenceUnknown)) return false;
      throw error;
    }
  });
}
