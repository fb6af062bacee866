import { context, defaultTextMapGetter, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { readSampling, toSampler } from './sampling.ts';
import { type SentSpan, toSent } from './sent-span.ts';

/** Spans that are sent together, or when the first of them has waited for so long, milliseconds. */
const BATCH = 64;
const WAIT_MS = 250;
/** The most in a second; a handler that makes more is cut short, or its spans would fill the worker's memory. */
const MAX_SPANS = 1_000;
const W3C = new W3CTraceContextPropagator();

/** What a thread or child process of a worker makes spans with. Where it is, and where it begins, is said as a `traceparent`. */
export interface BoxTracing {
  /** Runs `fn` inside of a span of the worker. */
  within<T>(traceparent: string, fn: () => T): T;
  /** The span inside of which the caller runs. */
  active(): string | undefined;
  /** Sends what is over. */
  flush(): void;
}

/** Spans on their way to the worker, and how many were left out. */
export interface SentSpans {
  readonly spans: readonly SentSpan[];
  readonly left: number;
}

/**
 * Has the spans of this thread or process sent to its worker, which exports them as its own. To be called once; it is a module of
 * its own, so that nothing else of this package is loaded, and nothing at all where tracing is off.
 */
export function openBoxTracing(send: (sent: SentSpans) => void): BoxTracing {
  let spans: SentSpan[] = [];
  let left = 0;
  let second = 0;
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (spans.length + left === 0) return;
    send({ spans, left });
    spans = [];
    left = 0;
  };
  const onEnd = (span: ReadableSpan) => {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) count = 0;
    second = now;
    if (++count > MAX_SPANS) left++;
    else spans.push(toSent(span));
    if (spans.length >= BATCH) flush();
    else timer ??= setTimeout(flush, WAIT_MS).unref();
  };
  const processor = {
    onStart: () => {},
    onEnd,
    forceFlush: async () => flush(),
    shutdown: async () => flush(),
  };
  // The worker has said what it cannot read of the variables.
  const sampler = toSampler(readSampling(process.env, () => {}));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [W3C, new W3CBaggagePropagator()] }),
  );
  trace.setGlobalTracerProvider(new TracerProvider({ sampler, spanProcessors: [processor] }));
  return {
    within: (traceparent, fn) =>
      context.with(W3C.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter), fn),
    active() {
      const carrier: { traceparent?: string } = {};
      W3C.inject(context.active(), carrier, { set: (to, key, value) => Object.assign(to, { [key]: value }) });
      return carrier.traceparent;
    },
    flush,
  };
}
