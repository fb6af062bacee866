import { type Bus, inside } from '../connection/bus.ts';
import { inNamespace } from '../streams/names.ts';
import { readPage } from '../streams/read-page.ts';

/** One batch of events as it is stored. */
export interface StoredEvents {
  /** Sequence in EVENTS. */
  readonly seq: number;
  readonly data: Uint8Array;
}

/** Batches in one answer. */
const BATCHES = 32;
/** Bytes of one answer; a message of the server's largest size fits in any case. */
const BYTES = 1_048_576;
/** Subjects around a message, which the server counts too. */
const AROUND_BYTES = 4_096;

/**
 * Reads some batches of EVENTS, without a consumer: whoever reads keeps no place at the server, and can read any part again. There
 * may be more than it returns; where it returns none, the replica that answered has none yet. What was trimmed is missing at the
 * front.
 * @throws JetStreamCallError, BusClosedError
 */
export async function readEvents(
  bus: Bus,
  range: { readonly from: number; readonly upTo: number },
): Promise<readonly StoredEvents[]> {
  const inner = inside(bus);
  const { messages } = await readPage(inner, {
    ...range,
    stream: 'EVENTS',
    subject: inNamespace(inner, 'events.batch'),
    batch: BATCHES,
    maxBytes: Math.max(BYTES, inner.maxPayload + AROUND_BYTES),
  });
  return messages;
}
