import { type Context, INVALID_SPAN_CONTEXT, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { KeptSpan, type SpanOrigin, toSpanContext } from './kept-span.ts';
import type { SpanPlace, SpanStart } from './tracing.ts';

/** The key under which OpenTelemetry looks for the span of a context; it tells it to nobody, but uses it before everybody. */
const SPAN_KEY = findSpanKey();

function findSpanKey(): symbol {
  let found = Symbol('not found');
  const probe: Context = {
    getValue: () => undefined,
    setValue(key) {
      found = key;
      return probe;
    },
    deleteValue: () => probe,
  };
  trace.setSpan(probe, trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
  return found;
}

/**
 * The context inside of a span, and nothing of what the caller happens to run in: work goes from one job to the next. Most
 * handlers never look where they are, so the span is made when somebody does.
 */
abstract class InsideContext implements Context {
  abstract readonly span: Span;

  getValue(key: symbol): unknown {
    return key === SPAN_KEY ? this.span : undefined;
  }

  setValue(key: symbol, value: unknown): Context {
    return trace.setSpan(ROOT_CONTEXT, this.span).setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return trace.setSpan(ROOT_CONTEXT, this.span).deleteValue(key);
  }
}

/** Inside of a span that is made elsewhere, later or never. */
export class InsidePlace extends InsideContext {
  readonly #at: { readonly place: SpanPlace };
  #span: Span | undefined = undefined;

  constructor(at: { readonly place: SpanPlace }) {
    super();
    this.#at = at;
  }

  override get span(): Span {
    if (!this.#span) {
      const { place } = this.#at;
      this.#span = trace.wrapSpanContext(toSpanContext(place, place.sampled, false));
    }
    return this.#span;
  }
}

/** Inside of a span that is kept. */
export class InsideKept extends InsideContext {
  readonly #origin: SpanOrigin;
  readonly #start: () => SpanStart;
  #span: KeptSpan | undefined = undefined;

  constructor(origin: SpanOrigin, start: () => SpanStart) {
    super();
    this.#origin = origin;
    this.#start = start;
  }

  override get span(): KeptSpan {
    this.#span ??= new KeptSpan(this.#origin, this.#start());
    return this.#span;
  }
}
