import type { Fill, StorageFigures } from '@jetbeat/core';
import { type Bus, inside } from '../connection/bus.ts';
import { manage } from '../connection/manage.ts';
import { type EventsState, eventsState } from './stream-state.ts';

/** Figures with the state of EVENTS that they were made of. */
export interface Gauged {
  readonly figures: StorageFigures;
  readonly events: EventsState;
}

/**
 * Reads how full JetStream's files and EVENTS are. A client is told what is used, by all streams and replicas of its
 * account; of the bounds only the account's own, never the server's `max_file_store` (tried with nats-server 2.15).
 * @param params.limit bound of all files in bytes, where the operator has told it
 * @throws JetStreamCallError, BusClosedError
 */
export async function gaugeStorage(bus: Bus, params: { readonly limit?: number } = {}): Promise<Gauged> {
  const inner = inside(bus);
  const account = await manage(inner, 'the state of JetStream', (jsm) => jsm.getAccountInfo());
  const events = await eventsState(bus);
  const limits = [account.limits.max_storage, params.limit].filter(
    (limit) => limit !== undefined && limit > 0,
  );
  return {
    figures: {
      store: fill(account.storage, Math.min(...(limits as number[]))),
      events: fill(unrecordedBytes(events), events.maxBytes > 0 ? events.maxBytes : Number.POSITIVE_INFINITY),
    },
    events,
  };
}

/**
 * The server does not say how large a part of a stream is, so this takes all messages for equal. When it matters they are:
 * with EVENTS more than a quarter full, trimming leaves nothing else in it than what is not recorded.
 */
function unrecordedBytes({ firstSeq, lastSeq, recordedUpTo, messages, bytes }: EventsState): number {
  const unrecorded = Math.max(0, lastSeq - Math.max(recordedUpTo, firstSeq - 1));
  return messages === 0 ? 0 : Math.ceil((bytes * Math.min(unrecorded, messages)) / messages);
}

function fill(used: number, limit: number): Fill {
  return Number.isFinite(limit) ? { used, limit } : { used };
}
