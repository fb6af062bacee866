import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { ByteWriter } from './byte-writer.ts';
import type { KeptSpan } from './kept-span.ts';
import type { SpanPlace } from './tracing.ts';

/** Values of one attribute that are remembered, and attributes. */
const MAX_VALUES = 64;
/** Letters of an attribute that fit into 127 bytes in any case, with what is around them. */
const SHORT_ATTRIBUTE = 38;
/** Longer texts are mostly ids, which never come again. */
const MAX_REMEMBERED = 32;
/** Letters of one span, so that its length fits. */
const MAX_LETTERS = 2 ** 18;
const OUTER_LENGTH_BYTES = 5;
const NONE: readonly SpanPlace[] = [];

type Value = string | number;
type Values = Readonly<Record<string, unknown>>;

/**
 * Writes spans as protobuf (opentelemetry/proto/trace/v1/trace.proto). The SDK's writer goes through every letter of every
 * attribute, twice; most attributes of our spans are the same as before, so their bytes are remembered.
 */
export class SpanBytes {
  readonly #known = new Map<string, Map<Value, Uint8Array>>();
  readonly #shared = new WeakMap<Values, Uint8Array>();
  readonly #out = new ByteWriter();
  #begun: { readonly request: number; readonly scopeSpans: number } | undefined = undefined;
  #count = 0;

  /** Whether this can write it: no events, no attributes but texts and whole numbers, and nothing huge. */
  static canWrite(span: KeptSpan): boolean {
    const { links = NONE, text } = span.start;
    if (span.events.length > 0 || links.length > 128) return false;
    const letters = span.name.length + (span.status.message?.length ?? 0);
    const more = span.plain
      ? lettersOf(text.attributes) + lettersOf(span.ending)
      : lettersOf(span.attributes);
    // What is shared is ours, and small.
    return letters + more < MAX_LETTERS && !span.linked;
  }

  /** How many spans are written and not taken. */
  get count(): number {
    return this.#count;
  }

  /** Writes a span to those that are taken together. `resource`: that message's bytes, the same for all of them. */
  add(resource: Uint8Array, span: KeptSpan): void {
    this.#begun ??= this.#begin(resource, span.instrumentationScope);
    this.#span(span);
    this.#count++;
  }

  /** A request with all spans since the last one; undefined when there were none. */
  take(): Uint8Array | undefined {
    if (!this.#begun) return undefined;
    this.#out.close(this.#begun.scopeSpans, OUTER_LENGTH_BYTES);
    this.#out.close(this.#begun.request, OUTER_LENGTH_BYTES);
    this.#begun = undefined;
    this.#count = 0;
    return this.#out.take();
  }

  #begin(resource: Uint8Array, scope: ReadableSpan['instrumentationScope']) {
    const out = this.#out;
    const request = out.open(0x0a, OUTER_LENGTH_BYTES);
    const resourceAt = out.open(0x0a);
    out.raw(resource);
    out.close(resourceAt);
    const scopeSpans = out.open(0x12, OUTER_LENGTH_BYTES);
    const named = out.open(0x0a);
    out.text(0x0a, scope.name);
    if (scope.version !== undefined) out.text(0x12, scope.version);
    out.close(named);
    return { request, scopeSpans };
  }

  #span(span: KeptSpan): void {
    const out = this.#out;
    const { place, parent, links = NONE, text, startedAt } = span.start;
    const at = out.open(0x12);
    out.hex(0x0a, place.traceId);
    out.hex(0x12, place.spanId);
    if (parent) out.hex(0x22, parent.spanId);
    out.text(0x2a, span.name);
    out.number(0x30, span.kind + 1);
    out.time(0x39, startedAt);
    out.time(0x41, span.endedAt);
    if (span.plain) {
      if (text.shared) this.#remembered(text.shared);
      this.#attributes(text.attributes);
      if (span.ending) this.#attributes(span.ending);
    } else {
      this.#attributes(span.attributes);
    }
    for (const link of links) {
      const linkAt = out.open(0x6a);
      out.hex(0x0a, link.traceId);
      out.hex(0x12, link.spanId);
      out.flags(0x35, link.sampled, true);
      out.close(linkAt);
    }
    const { message, code } = span.status;
    const status = out.open(0x7a);
    if (message) out.text(0x12, message);
    if (code !== 0) out.number(0x18, code);
    out.close(status);
    out.byte(0x85);
    out.flags(0x01, true, parent !== undefined);
    out.close(at);
  }

  #attributes(values: Values): void {
    for (const key in values) this.#attribute(key, values[key] as Value);
  }

  #remembered(shared: Values): void {
    const known = this.#shared.get(shared);
    if (known) {
      this.#out.raw(known);
      return;
    }
    const begun = this.#out.at;
    this.#attributes(shared);
    this.#shared.set(shared, this.#out.since(begun));
  }

  #attribute(key: string, value: Value): void {
    const out = this.#out;
    if (typeof value === 'string' && value.length > MAX_REMEMBERED) {
      writeAttribute(out, key, value);
      return;
    }
    let values = this.#known.get(key);
    if (!values && this.#known.size < MAX_VALUES) {
      values = new Map();
      this.#known.set(key, values);
    }
    const known = values?.get(value);
    if (known) {
      out.raw(known);
      return;
    }
    const begun = out.at;
    writeAttribute(out, key, value);
    if (values && values.size < MAX_VALUES) values.set(value, out.since(begun));
  }
}

function writeAttribute(out: ByteWriter, key: string, value: Value): void {
  // Short texts are the most, and all their lengths take one byte.
  const short = key.length + value.toString().length < SHORT_ATTRIBUTE ? 1 : undefined;
  const attribute = out.open(0x4a, short);
  out.text(0x0a, key);
  const any = out.open(0x12, short);
  if (typeof value === 'string') out.text(0x0a, value);
  else out.number(0x18, value);
  out.close(any, short);
  out.close(attribute, short);
}

/** How many letters attributes have; `Infinity` where there is one that is no text and no whole number. */
function lettersOf(values: Values = {}): number {
  let letters = 0;
  for (const key in values) {
    const value = values[key];
    letters += key.length;
    if (typeof value === 'string') letters += value.length;
    else if (!Number.isSafeInteger(value)) return Number.POSITIVE_INFINITY;
  }
  return letters;
}
