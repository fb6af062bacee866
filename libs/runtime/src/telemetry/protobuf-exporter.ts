import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http';
import { TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { SpanSerializer } from './span-serializer.ts';

/** `ExportResultCode.SUCCESS`. */
const SUCCESS = 0;

/** The SDK's exporter of OTLP over HTTP, configured by the same variables, but for how our own spans are written. */
export class ProtobufExporter extends OTLPExporterBase<ReadableSpan[]> {
  readonly #serializer: SpanSerializer;

  constructor(serializer: SpanSerializer) {
    const options = convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', {
      'Content-Type': 'application/x-protobuf',
    });
    const kind = 'otlp_http_span_exporter';
    super(createOtlpHttpExportDelegate(options, serializer, kind, TraceExporterMetricsHelper, undefined));
    this.#serializer = serializer;
  }

  override export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    if (this.#serializer.hasSent(spans)) done({ code: SUCCESS });
    else super.export(spans, done);
  }
}

/**
 * Puts spans of ours down as bytes the moment they are over, and one and the same span in their place into the batch: what
 * waits there by the thousand would have to be moved by V8's collector.
 * @param limit spans that wait as bytes; what comes beyond goes into the batch as it is, which has a limit of its own
 */
export function writeEarly(batch: SpanProcessor, serializer: SpanSerializer, limit: number): SpanProcessor {
  return {
    onStart: (span, at) => batch.onStart(span, at),
    onEnd: (span) => batch.onEnd((serializer.count < limit && serializer.write(span)) || span),
    forceFlush: () => batch.forceFlush(),
    shutdown: () => batch.shutdown(),
  };
}
