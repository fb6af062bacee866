import { type Context, context, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { type ChosenIds, withTraceId } from './chosen-ids.ts';
import { createFineClock } from './fine-clock.ts';
import { KeptSpan, type SpanOrigin, toSpanContext } from './kept-span.ts';
import type { Sampling } from './sampling.ts';
import type { Tracing } from './tracing.ts';

/** What spans are made with. */
export interface OtelParts {
  readonly origin: SpanOrigin;
  readonly ids: ChosenIds;
  readonly sampling: Sampling;
  readonly instrumentPg: Tracing['instrumentPg'];
  readonly stop: Tracing['stop'];
}

/** `Tracing` over an SDK that runs. */
export function createTracing({ origin, ids, sampling, instrumentPg, stop }: OtelParts): Tracing {
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
    within: (place, fn) =>
      context.with(inside(trace.wrapSpanContext(toSpanContext(place, place.sampled, false))), fn),
    inTrace: (traceId, fn) => context.with(withTraceId(context.active(), traceId), fn),
    begin(start) {
      const span = new KeptSpan(origin, start);
      const at = inside(span);
      return {
        run: (fn) => context.with(at, fn),
        end({ at: endedAt, attributes, error }) {
          span.setAttributes(attributes);
          if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
          span.end(endedAt);
        },
      };
    },
    emit(whole) {
      const span = new KeptSpan(origin, whole);
      if (whole.error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: whole.error });
      span.end(whole.endedAt);
    },
    instrumentPg,
    stop,
  };
}

/** Nothing of what the caller happens to run in: work goes from one job to the next. */
function inside(span: Span): Context {
  return trace.setSpan(ROOT_CONTEXT, span);
}
