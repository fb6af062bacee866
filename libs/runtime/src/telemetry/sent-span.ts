import type { Link, SpanContext } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** A span that is over, as one thread or process sends it to another: plain JSON, without what all spans of a process share. */
export type SentSpan = Omit<ReadableSpan, 'spanContext' | 'resource' | 'ended'> & {
  readonly context: SpanContext;
};

/** Reads a span so that it can be sent. */
export function toSent(span: ReadableSpan): SentSpan {
  const { name, kind, startTime, endTime, duration, status, attributes, events } = span;
  const { parentSpanContext: parent, instrumentationScope, links } = span;
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span;
  return {
    name,
    kind,
    startTime,
    endTime,
    duration,
    status,
    attributes,
    events,
    instrumentationScope,
    droppedAttributesCount,
    droppedEventsCount,
    droppedLinksCount,
    context: plain(span.spanContext()),
    links: links.map((link): Link => ({ ...link, context: plain(link.context) })),
    ...(parent ? { parentSpanContext: plain(parent) } : {}),
  };
}

/** The span again, as one of a process with this resource. */
export function toReadable({ context, ...sent }: SentSpan, resource: Resource): ReadableSpan {
  return { ...sent, resource, ended: true, spanContext: () => context };
}

/** Without its trace state, an object that cannot be sent. */
function plain({ traceId, spanId, traceFlags, isRemote = false }: SpanContext): SpanContext {
  return { traceId, spanId, traceFlags, isRemote };
}
