import {
  type IExportTraceServiceResponse,
  type ISerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { KeptSpan } from './kept-span.ts';
import { SpanBytes } from './span-bytes.ts';

/** Writes spans as requests. */
export class SpanSerializer implements ISerializer<ReadableSpan[], IExportTraceServiceResponse> {
  readonly #bytes = new SpanBytes();
  /** The first span of ours: all that are written here are of its resource. */
  #first: { readonly span: KeptSpan; readonly resource: Uint8Array } | undefined = undefined;

  /** How many spans are written and not sent. */
  get count(): number {
    return this.#bytes.count;
  }

  /**
   * Writes a span for the next request.
   * @returns what stands for it and for all others that are written, or undefined: this one cannot be written here
   */
  write(span: ReadableSpan): ReadableSpan | undefined {
    if (!(span instanceof KeptSpan) || !SpanBytes.canWrite(span)) return undefined;
    this.#first ??= { span, resource: readResource(ProtobufTraceSerializer.serializeRequest([span])) };
    const { resource, span: first } = this.#first;
    if (span.resource !== first.resource) return undefined;
    this.#bytes.add(resource, span);
    return first;
  }

  /** Whether these only stand for what was sent together with earlier ones. */
  hasSent(spans: readonly ReadableSpan[]): boolean {
    return this.count === 0 && spans.every((span) => span === this.#first?.span);
  }

  /** All that is written, and those of `spans` that are not. */
  serializeRequest(spans: ReadableSpan[]): Uint8Array | undefined {
    const others = spans.filter((span) => span !== this.#first?.span && !this.write(span));
    const written = this.#bytes.take();
    // Two requests one after the other are one with the spans of both: their only field is repeated.
    const rest = others.length > 0 ? ProtobufTraceSerializer.serializeRequest(others) : undefined;
    return written && rest ? Buffer.concat([written, rest]) : (written ?? rest);
  }

  deserializeResponse(data: Uint8Array): IExportTraceServiceResponse {
    return ProtobufTraceSerializer.deserializeResponse(data);
  }
}

/** The first field of the first field of a request: the bytes of its resource. */
function readResource(request: Uint8Array = new Uint8Array()): Uint8Array {
  let at = 0;
  const length = () => {
    at++;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = request[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  length();
  const size = length();
  return request.slice(at, at + size);
}
