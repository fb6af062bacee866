import { context, diag, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SentSpans } from './box-tracing.ts';
import { type ChosenIds, withTraceId } from './chosen-ids.ts';
import { createFineClock } from './fine-clock.ts';
import { InsideKept, InsidePlace } from './inside-context.ts';
import { KeptSpan, type SpanOrigin } from './kept-span.ts';
import type { Sampling } from './sampling.ts';
import { toReadable } from './sent-span.ts';
import type { Tracing } from './tracing.ts';

/** What spans are made with. */
export interface OtelParts {
  readonly origin: SpanOrigin;
  readonly ids: ChosenIds;
  readonly sampling: Sampling;
  /** Takes a span that a thread or a child process has sent. */
  readonly onSent: (span: ReadableSpan) => void;
  readonly instrumentPg: Tracing['instrumentPg'];
  readonly stop: Tracing['stop'];
}

/** `Tracing` over an SDK that runs. */
export function createTracing(parts: OtelParts): Tracing {
  const { origin, ids, sampling, onSent, instrumentPg, stop } = parts;
  return {
    now: createFineClock(),
    samples: (traceId, parent) => sampling.samples(traceId, parent?.sampled),
    newSpanId: () => ids.generateSpanId(),
    active() {
      const found = trace.getSpanContext(context.active());
      if (!found || !trace.isSpanContextValid(found)) return undefined;
      const { traceId, spanId, traceFlags } = found;
      return { traceId, spanId, sampled: (traceFlags & 1) === 1 };
    },
    within: (at, fn) => context.with(new InsidePlace(at), fn),
    inTrace: (traceId, fn) => context.with(withTraceId(context.active(), traceId), fn),
    begin(start) {
      const inside = new InsideKept(origin, start);
      return {
        run: (fn) => context.with(inside, fn),
        end: ({ at, attributes, error }) => inside.span.finish(at, error, attributes),
      };
    },
    emit(whole) {
      new KeptSpan(origin, whole).finish(whole.endedAt, whole.error);
    },
    instrumentPg,
    boxes: {
      module: new URL('./box-tracing.ts', import.meta.url).href,
      take(sent) {
        const { spans, left } = sent as SentSpans;
        for (const span of spans) onSent(toReadable(span, origin.resource));
        if (left > 0) diag.warn(`${left} spans of a handler were left out: too many in a second`);
      },
    },
    stop,
  };
}
