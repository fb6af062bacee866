import { randomBytes } from 'node:crypto';
import { type Context, context, createContextKey } from '@opentelemetry/api';
import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

const SPAN_DIGITS = 16;
/** Random bytes drawn at once: one id's worth costs as much as hundreds. */
const DRAWN = 4_096;
const TRACE = createContextKey('jetbeat trace id');

/** A context in which a trace that begins has this id. */
export function withTraceId(at: Context, traceId: string): Context {
  return at.setValue(TRACE, traceId);
}

/** Random ids, unless whoever calls has chosen the trace's: a request has one before there is a span. */
export class ChosenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #drawn = '';
  #at = 0;

  generateTraceId(): string {
    const wanted = context.active().getValue(TRACE);
    return typeof wanted === 'string' ? wanted : this.#random.generateTraceId();
  }

  generateSpanId(): string {
    if (this.#at >= this.#drawn.length) {
      this.#drawn = randomBytes(DRAWN).toString('hex');
      this.#at = 0;
    }
    const id = this.#drawn.slice(this.#at, this.#at + SPAN_DIGITS);
    this.#at += SPAN_DIGITS;
    return id;
  }
}
