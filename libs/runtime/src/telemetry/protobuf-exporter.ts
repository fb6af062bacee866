import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http';
import {
  type IExportTraceServiceResponse,
  type ISerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { KeptSpan } from './kept-span.ts';
import { SpanBytes } from './span-bytes.ts';

/** The SDK's exporter of OTLP over HTTP, configured by the same variables, but for how our own spans are written. */
export function createProtobufExporter(): SpanExporter {
  const options = convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', {
    'Content-Type': 'application/x-protobuf',
  });
  const kind = 'otlp_http_span_exporter';
  return new OTLPExporterBase(
    createOtlpHttpExportDelegate(options, createSerializer(), kind, TraceExporterMetricsHelper, undefined),
  );
}

/** Writes spans as one request. */
export function createSerializer(): ISerializer<ReadableSpan[], IExportTraceServiceResponse> {
  const bytes = new SpanBytes();
  const resources = new WeakMap<Resource, Uint8Array>();
  const resourceOf = (span: ReadableSpan): Uint8Array => {
    let known = resources.get(span.resource);
    if (!known) {
      known = readResource(ProtobufTraceSerializer.serializeRequest([span]) ?? new Uint8Array());
      resources.set(span.resource, known);
    }
    return known;
  };
  return {
    serializeRequest(spans) {
      const ours: KeptSpan[] = [];
      const others: ReadableSpan[] = [];
      for (const span of spans) {
        if (span instanceof KeptSpan && SpanBytes.canWrite(span)) ours.push(span);
        else others.push(span);
      }
      // Two requests one after the other are one with the spans of both: their only field is repeated.
      const rest = others.length > 0 ? ProtobufTraceSerializer.serializeRequest(others) : undefined;
      const [first] = ours;
      if (!first) return rest;
      const written = bytes.request(resourceOf(first), first.instrumentationScope, ours);
      return rest ? Buffer.concat([written, rest]) : written;
    },
    deserializeResponse: (data) => ProtobufTraceSerializer.deserializeResponse(data),
  };
}

/** The first field of the first field of a request: the bytes of its resource. */
function readResource(request: Uint8Array): Uint8Array {
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
