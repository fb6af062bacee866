import { context, trace } from '@opentelemetry/api';
import { type ChosenIds, withTraceId } from './chosen-ids.ts';
import { createFineClock } from './fine-clock.ts';
import { InsideKept, InsidePlace } from './inside-context.ts';
import { KeptSpan, type SpanOrigin } from './kept-span.ts';
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
    stop,
  };
}
