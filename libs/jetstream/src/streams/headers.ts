import { parseTraceparent } from '@jetbeat/core';
import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core';

/** Every header that Jetbeat writes or reads. Those of NATS: ADR-4, ADR-8, ADR-51 and the JetStream publish headers. */
export const HEADERS = {
  messageId: 'Nats-Msg-Id',
  rollup: 'Nats-Rollup',
  /** The message is stored only if the last one of its subject has this sequence; 0: there is none. */
  expectedRevision: 'Nats-Expected-Last-Subject-Sequence',
  /** After how long the server removes the message, e.g. `60s`. */
  ttl: 'Nats-TTL',
  schedule: 'Nats-Schedule',
  scheduleTarget: 'Nats-Schedule-Target',
  /** On a message that a message schedule fired: the subject of that schedule. */
  scheduler: 'Nats-Scheduler',
  /** On the status that ends a pull: how many messages of it were not delivered. */
  pendingMessages: 'Nats-Pending-Messages',
  /** `1`: whoever published this did not know whether an earlier publish had succeeded. */
  repeat: 'Jetbeat-Repeat',
  /** Of a job that was parked: the sequence and the time under which it had come to its queue before, see `Arrival`. */
  arrival: 'Jetbeat-Arrival',
  /** Atomic batches: NATS ADR-50. */
  batchId: 'Nats-Batch-Id',
  batchSequence: 'Nats-Batch-Sequence',
  batchCommit: 'Nats-Batch-Commit',
  /** W3C trace context. */
  traceparent: 'traceparent',
  /** The span that this run follows, as a `traceparent`: that of the attempt before, or of the call that published many jobs. */
  link: 'Jetbeat-Link',
  /** Why a dead letter is dead, one word. */
  deadReason: 'Jetbeat-Dead-Reason',
  /** Everything known of a dead letter's end, as ASCII JSON. */
  dead: 'Jetbeat-Dead',
} as const;

/** One header. */
export type Header = readonly [name: string, value: string];

const SAFE_NAME = /^[!-9;-~]{1,256}$/;
/** ASCII that breaks no line; a later version of the trace context may be longer than what is read of it. */
const PRINTABLE = /^[\x20-\x7e]+$/;
const MESSAGE_ID = /^[\x21-\x7e]{1,256}$/;

/**
 * Makes the client's header object. A new one for every publish: the client writes into the one that it is given.
 * What could break out of its line is left out by `foreignHeaders`, our own values are checked where they are made.
 */
export function toClientHeaders(list: readonly Header[]): MsgHdrs {
  const made = headers();
  for (const [name, value] of list) made.append(name, value);
  return made;
}

/** Headers as they go over the wire; the values must be ASCII. */
export function headText(list: readonly Header[]): string {
  let text = 'NATS/1.0\r\n';
  for (const [name, value] of list) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

/**
 * Headers that are encoded already. Of a message's headers the client calls nothing but `encode` when it publishes, and its own
 * class costs a map, a list per header and a check of every character.
 */
export class EncodedHeaders {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  encode(): Uint8Array {
    return this.#bytes;
  }

  /** These and more, each ended by a line break. */
  with(more: string): EncodedHeaders {
    // Before the empty line.
    const bytes = Buffer.concat([this.#bytes.subarray(0, -2), Buffer.from(`${more}\r\n`)]);
    return new EncodedHeaders(bytes);
  }

  /** As the client's type has it. */
  get forClient(): MsgHdrs {
    return this as unknown as MsgHdrs;
  }
}

/** What headers take on the wire, in bytes. */
export function sizeOf(list: readonly Header[]): number {
  return list.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 4,
    12,
  );
}

/** The headers of a message by name; of a repeated one the first. */
export function readHeaders(message: Msg): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [name, values] of message.headers ?? []) map.set(name, values[0] ?? '');
  return map;
}

/** Headers of a stranger's message that may be repeated on another one: no NATS instruction, nothing that breaks a line. */
export function foreignHeaders(map: Iterable<readonly [string, string]>): Header[] {
  return [...map].filter(
    ([name, value]) =>
      SAFE_NAME.test(name) && !/^(nats|kv)-/i.test(name) && !/[\r\n\0]/.test(value) && !isOurs(name),
  );
}

/** The header of a trace, or none when it is not a valid one. */
export function traceHeader(traceparent: string | undefined): Header[] {
  return traceparent !== undefined && parseTraceparent(traceparent) && PRINTABLE.test(traceparent)
    ? [[HEADERS.traceparent, traceparent]]
    : [];
}

/** The header of the span that comes before, or none when it is not a valid one. */
export function linkHeader(link: string | undefined): Header[] {
  return traceHeader(link).map(([, value]) => [HEADERS.link, value]);
}

/** Whether `text` can be a message id: printable ASCII without blanks, at most 256 characters. */
export function isMessageId(text: string): boolean {
  return MESSAGE_ID.test(text);
}

/** JSON in ASCII, so that a header holds it whatever is in it. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isOurs(name: string): boolean {
  return (
    name === HEADERS.dead ||
    name === HEADERS.deadReason ||
    name === HEADERS.arrival ||
    name === HEADERS.traceparent ||
    name === HEADERS.link ||
    name === HEADERS.repeat
  );
}
