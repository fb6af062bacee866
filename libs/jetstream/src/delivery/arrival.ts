import { HEADERS, type Header } from '../streams/headers.ts';

/**
 * How a job had come to its queue before it was parked. Its messages change meanwhile, and a purge of the queue takes what had
 * come before.
 */
export interface Arrival {
  /** Sequence in JOBS. */
  readonly seq: number;
  /** Unix milliseconds. */
  readonly storedAt: number | undefined;
}

const TEXT = /^(\d{1,16})(?:\.(\d{1,16}))?$/;

/** The header that says it. */
export function arrivalHeader(arrival: Arrival | undefined): Header[] {
  if (!arrival) return [];
  const { seq, storedAt } = arrival;
  return [[HEADERS.arrival, storedAt === undefined ? String(seq) : `${seq}.${Math.floor(storedAt)}`]];
}

/** Reads the header; undefined where there is none, or it says something else. */
export function readArrival(text: string | undefined): Arrival | undefined {
  const [, seq, storedAt] = TEXT.exec(text ?? '') ?? [];
  if (seq === undefined) return undefined;
  return { seq: Number(seq), storedAt: storedAt === undefined ? undefined : Number(storedAt) };
}
