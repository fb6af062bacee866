import { MalformedMessageError } from '../errors.ts';
import { isUuid } from '../ids.ts';
import type { Position } from './envelope.ts';
import type { Event } from './event.ts';
import { settledText } from './settled-text.ts';

const KINDS: ReadonlySet<string> = new Set<Event['kind']>([
  'accepted',
  'published',
  'started',
  'progress',
  'settled',
  'parked',
  'released',
  'returned',
  'ended',
  'worker',
]);

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Writes one event as JSON text; a batch is these joined by commas in brackets. */
export function encodeEvent(event: Event): string {
  if (event.kind === 'settled') return settledText(event);
  if (event.kind !== 'accepted' || event.text === undefined) return JSON.stringify(event);
  const { text, traceparent, seq } = event;
  const trace = traceparent === undefined ? '' : `"traceparent":${JSON.stringify(traceparent)},`;
  return `{"kind":"accepted","envelope":${text},${trace}"seq":${seq}}`;
}

/** Writes a batch of already encoded events as one UTF-8 JSON array. */
export function encodeBatch(encoded: readonly string[]): Uint8Array {
  return encoder.encode(`[${encoded.join(',')}]`);
}

/** A batch that was read: what is known, and how many entries were not. */
export interface DecodedBatch {
  readonly events: readonly Event[];
  readonly skipped: number;
}

/**
 * Reads a batch. An entry that is no known event is counted, not thrown: one stranger must not hold up history.
 * @throws MalformedMessageError when the whole is not a JSON array
 */
export function decodeBatch(data: Uint8Array): DecodedBatch {
  const entries = parseBatch(data);
  const events = entries.filter(isEvent);
  return { events, skipped: entries.length - events.length };
}

/**
 * Reads the entries of a batch, whatever they are, for whoever looks at every field of them.
 * @throws MalformedMessageError when the whole is not a JSON array
 */
export function parseBatch(data: Uint8Array): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(data));
  } catch (cause) {
    throw new MalformedMessageError('the event batch is not UTF-8 JSON', { cause });
  }
  if (!Array.isArray(value)) throw new MalformedMessageError('the event batch is no JSON array');
  return value;
}

function isEvent(value: unknown): value is Event {
  if (typeof value !== 'object' || value === null) return false;
  const event = value as { kind?: unknown; job?: unknown; worker?: unknown; envelope?: { id?: unknown } };
  if (typeof event.kind !== 'string' || !KINDS.has(event.kind)) return false;
  if (event.kind === 'worker') return typeof event.worker === 'string';
  if (event.kind === 'accepted') return isUuid(event.envelope?.id);
  return isUuid(event.job) && isPosition(event as Partial<Position>);
}

function isPosition(value: Partial<Position>): boolean {
  return (
    Number.isSafeInteger(value.attempt) &&
    Number.isSafeInteger(value.run) &&
    Number.isSafeInteger(value.parks)
  );
}
