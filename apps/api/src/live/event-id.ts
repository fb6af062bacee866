import { EVENT_ID_PATTERN } from '@jetbeat/core/http';

/**
 * How far a stream has been told: up to and including one entry of a batch, or all of the batch. The same at every replica,
 * since batches do not change once they are stored.
 */
export interface EventPlace {
  /** Which store of events it is a place in: one that is made anew counts from 1 again. */
  readonly epoch: string;
  /** Sequence of the batch in EVENTS. */
  readonly seq: number;
  /** Absent: all of the batch. */
  readonly index?: number;
}

const FORM = new RegExp(EVENT_ID_PATTERN);

/** The epoch of the store that was made at this time, Unix milliseconds. */
export function epochOf(created: number): string {
  return created.toString(36);
}

/** The text of a place, as clients send it back. */
export function eventId({ epoch, seq, index }: EventPlace): string {
  return index === undefined ? `${epoch}.${seq}` : `${epoch}.${seq}.${index}`;
}

/** Reads such a text; undefined for what is none. */
export function readEventId(text: string): EventPlace | undefined {
  if (!FORM.test(text)) return undefined;
  const [epoch = '', seq, index] = text.split('.');
  const place = { epoch, seq: Number(seq) };
  if (!Number.isSafeInteger(place.seq)) return undefined;
  return index === undefined ? place : { ...place, index: Number(index) };
}

/** Whether whoever has been told up to `place` has not been told this entry of this batch of the same store. */
export function isAfter(entry: { readonly seq: number; readonly index: number }, place: EventPlace): boolean {
  if (entry.seq !== place.seq) return entry.seq > place.seq;
  return place.index !== undefined && entry.index > place.index;
}
