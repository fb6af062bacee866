import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { KeptSpan } from './kept-span.ts';

/** Values of one attribute that are remembered; those of some, like a job's id, are all different. */
const MAX_VALUES = 64;
const MAX_REMEMBERED = 100;
const FIRST_BYTES = 16_384;
/** A length that comes later has its place: a varint may be longer than it must. */
const LENGTH_BYTES = 3;
const OUTER_LENGTH_BYTES = 5;
/** Letters of one span, so that its length fits. */
const MAX_LETTERS = 2 ** 18;

/**
 * Writes spans as protobuf (opentelemetry/proto/trace/v1/trace.proto). The SDK's writer goes through every letter of every
 * attribute, twice; most attributes of our spans are the same as before, so their bytes are remembered.
 */
export class SpanBytes {
  readonly #known = new Map<string, Map<string | number, Buffer>>();
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;

  /** Whether this can write it: no events, no attributes but texts and whole numbers, and nothing huge. */
  static canWrite(span: KeptSpan): boolean {
    if (span.events.length > 0 || span.links.length > 128) return false;
    let letters = span.name.length + (span.status.message?.length ?? 0);
    for (const key in span.attributes) {
      const value = span.attributes[key];
      letters += key.length;
      if (typeof value === 'string') letters += value.length;
      else if (!Number.isSafeInteger(value)) return false;
    }
    return letters < MAX_LETTERS && span.links.every(({ attributes }) => attributes === undefined);
  }

  /** A request with the spans of one resource. `resource`: that message's bytes. */
  request(
    resource: Uint8Array,
    scope: ReadableSpan['instrumentationScope'],
    spans: readonly KeptSpan[],
  ): Uint8Array {
    this.#at = 0;
    const request = this.#open(0x0a, OUTER_LENGTH_BYTES);
    this.#field(0x0a, resource);
    const scopeSpans = this.#open(0x12, OUTER_LENGTH_BYTES);
    const named = this.#open(0x0a);
    this.#text(0x0a, scope.name);
    if (scope.version !== undefined) this.#text(0x12, scope.version);
    this.#close(named);
    for (const span of spans) this.#span(span);
    this.#close(scopeSpans, OUTER_LENGTH_BYTES);
    this.#close(request, OUTER_LENGTH_BYTES);
    // The bytes are sent later, and these are written over.
    return Uint8Array.prototype.slice.call(this.#bytes, 0, this.#at);
  }

  #span(span: KeptSpan): void {
    const { traceId, spanId, traceFlags } = span.spanContext();
    const { parentSpanContext: parent } = span;
    const start = this.#open(0x12);
    this.#hex(0x0a, traceId);
    this.#hex(0x12, spanId);
    if (parent) this.#hex(0x22, parent.spanId);
    this.#text(0x2a, span.name);
    this.#number(0x30, span.kind + 1);
    this.#time(0x39, span.startTime);
    this.#time(0x41, span.endTime);
    for (const key in span.attributes) this.#attribute(key, span.attributes[key] as string | number);
    for (const { context } of span.links) {
      const link = this.#open(0x6a);
      this.#hex(0x0a, context.traceId);
      this.#hex(0x12, context.spanId);
      this.#flags(0x35, context.traceFlags, context.isRemote);
      this.#close(link);
    }
    const status = this.#open(0x7a);
    if (span.status.message) this.#text(0x12, span.status.message);
    if (span.status.code !== 0) this.#number(0x18, span.status.code);
    this.#close(status);
    this.#room(2);
    this.#bytes[this.#at++] = 0x85;
    this.#flags(0x01, traceFlags, parent?.isRemote);
    this.#close(start);
  }

  #attribute(key: string, value: string | number): void {
    let values = this.#known.get(key);
    if (!values && this.#known.size < MAX_VALUES) {
      values = new Map();
      this.#known.set(key, values);
    }
    const known = values?.get(value);
    if (known) {
      this.#room(known.length);
      this.#bytes.set(known, this.#at);
      this.#at += known.length;
      return;
    }
    const begun = this.#at;
    const attribute = this.#open(0x4a);
    this.#text(0x0a, key);
    const any = this.#open(0x12);
    if (typeof value === 'string') this.#text(0x0a, value);
    else this.#number(0x18, value);
    this.#close(any);
    this.#close(attribute);
    if (values && values.size < MAX_VALUES && this.#at - begun < MAX_REMEMBERED) {
      values.set(value, Buffer.from(this.#bytes.subarray(begun, this.#at)));
    }
  }

  #open(tag: number, lengthBytes = LENGTH_BYTES): number {
    this.#room(1 + lengthBytes);
    this.#bytes[this.#at++] = tag;
    this.#at += lengthBytes;
    return this.#at;
  }

  #close(start: number, lengthBytes = LENGTH_BYTES): void {
    let length = this.#at - start;
    for (let at = start - lengthBytes; at < start - 1; at++) {
      this.#bytes[at] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    this.#bytes[start - 1] = length;
  }

  #field(tag: number, content: Uint8Array): void {
    const start = this.#open(tag);
    this.#room(content.length);
    this.#bytes.set(content, this.#at);
    this.#at += content.length;
    this.#close(start);
  }

  #text(tag: number, text: string): void {
    this.#room(1 + LENGTH_BYTES + 3 * text.length);
    const start = this.#open(tag);
    this.#at += this.#bytes.write(text, this.#at, 'utf8');
    this.#close(start);
  }

  #hex(tag: number, hex: string): void {
    const length = hex.length / 2;
    this.#room(2 + length);
    this.#bytes[this.#at++] = tag;
    this.#bytes[this.#at++] = length;
    this.#at += this.#bytes.write(hex, this.#at, 'hex');
  }

  /** A whole number that is not negative, as a varint; a negative one as ten bytes. */
  #number(tag: number, value: number): void {
    this.#room(11);
    this.#bytes[this.#at++] = tag;
    if (value >= 0 && value < 0x80) {
      this.#bytes[this.#at++] = value;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  #time(tag: number, [seconds, nanos]: readonly [number, number]): void {
    this.#room(9);
    this.#bytes[this.#at++] = tag;
    // seconds * 1e9 + nanos, in two halves of 32 bits: as one number it would lose its last digits.
    const upper = Math.floor(seconds / 65_536) * 1e9;
    const lower = (upper % 65_536) * 65_536 + (seconds % 65_536) * 1e9 + nanos;
    this.#at = this.#bytes.writeUInt32LE(lower % 2 ** 32, this.#at);
    this.#at = this.#bytes.writeUInt32LE(Math.floor(upper / 65_536) + Math.floor(lower / 2 ** 32), this.#at);
  }

  #flags(tag: number, traceFlags: number, isRemote: boolean | undefined): void {
    this.#room(5);
    this.#bytes[this.#at++] = tag;
    this.#at = this.#bytes.writeUInt32LE((traceFlags & 0xff) | 0x100 | (isRemote ? 0x200 : 0), this.#at);
  }

  #room(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + count));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
