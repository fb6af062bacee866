import {
  formatTraceparent,
  parseTraceparent,
  type SpanFacts,
  sendManySpan,
  sendName,
  sendSpan,
  type TraceContext,
} from '@jetbeat/core';
import {
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Prepared } from './prepare.ts';

/** What is published, in its trace where the program has an OpenTelemetry SDK. */
export interface Sending<What> {
  readonly prepared: What;
  /** Ends the span; with what the publish failed with, if it did. */
  end(error?: Error): void;
}

/** Without an SDK this makes no spans and costs next to nothing. */
function tracer(): Tracer {
  return trace.getTracer('jetbeat');
}

/** Begins the span of one job: a child of the caller's, whose own context the job carries on. */
export function traceSend(prepared: Prepared): Sending<Prepared> {
  const { job, publish } = prepared;
  const { traceparent, envelope } = publish;
  const given = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  const at = given ? trace.setSpanContext(context.active(), toSpanContext(given)) : context.active();
  const span = tracer().startSpan(sendName(envelope.queue), { kind: SpanKind.PRODUCER }, at);
  const place = placeOf(span);
  if (!place || place.spanId === given?.spanId) return { prepared, end: () => {} };
  if (span.isRecording()) span.setAttributes(sendSpan(envelope).attributes);
  return {
    prepared: {
      job: { ...job, traceId: place.traceId },
      publish: { ...publish, traceparent: formatTraceparent(place) },
    },
    end: endOf(span),
  };
}

/**
 * Begins one span for many jobs. They stay traces of their own, which link to it: a thousand jobs in the caller's trace would
 * show nobody anything.
 */
export function traceSendMany(task: string, prepared: readonly Prepared[]): Sending<readonly Prepared[]> {
  const text: SpanFacts = sendManySpan(task, prepared.length);
  const span = tracer().startSpan(text.name, { kind: SpanKind.PRODUCER, attributes: text.attributes });
  const place = placeOf(span);
  if (!place?.sampled) return { prepared, end: endOf(span) };
  const link = formatTraceparent(place);
  const linked = prepared.map((each) =>
    each.publish.traceparent === undefined ? { ...each, publish: { ...each.publish, link } } : each,
  );
  return { prepared: linked, end: endOf(span) };
}

function endOf(span: Span): (error?: Error) => void {
  return (error) => {
    if (error) span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    span.end();
  };
}

/** Undefined where there is no SDK. */
function placeOf(span: Span): TraceContext | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (!trace.isSpanContextValid(span.spanContext())) return undefined;
  return { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 };
}

function toSpanContext({ traceId, spanId, sampled }: TraceContext) {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}
