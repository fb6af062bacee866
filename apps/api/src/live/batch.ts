import { MalformedMessageError, parseBatch } from '@jetbeat/core';
import type { StoredEvents } from '@jetbeat/jetstream';
import { type ToldEvent, toldEvent } from './told-event.ts';

/** One batch of events, read. */
export interface Batch {
  /** Sequence in EVENTS. */
  readonly seq: number;
  /** Of the message that it was. */
  readonly bytes: number;
  readonly events: readonly ToldEvent[];
}

/** Reads a batch; it never throws on what is in it. */
export function readBatch({ seq, data }: StoredEvents): Batch {
  return { seq, bytes: data.byteLength, events: eventsIn(data) };
}

function eventsIn(data: Uint8Array): ToldEvent[] {
  try {
    return parseBatch(data).flatMap((entry, index) => toldEvent(entry, index) ?? []);
  } catch (error) {
    if (error instanceof MalformedMessageError) return [];
    throw error;
  }
}
