import { type Context, context, createContextKey } from '@opentelemetry/api';
import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

const TRACE = createContextKey('jetbeat trace id');

/** A context in which a trace that begins has this id. */
export function withTraceId(at: Context, traceId: string): Context {
  return at.setValue(TRACE, traceId);
}

/** Random ids, unless whoever calls has chosen the trace's: a request has one before there is a span. */
export class ChosenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();

  generateTraceId(): string {
    const wanted = context.active().getValue(TRACE);
    return typeof wanted === 'string' ? wanted : this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#random.generateSpanId();
  }
}
