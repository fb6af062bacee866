import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace';
import type { SpanPlace, SpanStart, SpanText } from './tracing.ts';

/** What all spans of ours have in common. */
export interface SpanOrigin {
  readonly resource: Resource;
  readonly scope: ReadableSpan['instrumentationScope'];
  /** Takes a span that is over. */
  readonly onEnd: (span: KeptSpan) => void;
}

const KINDS: Readonly<Record<SpanText['kind'], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};
const UNSET: SpanStatus = { code: SpanStatusCode.UNSET };
const NONE: never[] = [];
/** As the SDK's. */
const MAX_EVENTS = 128;

/**
 * A span of ours. The SDK's own takes several times as long to make, most of it for looking at attributes of which we know what
 * they are; three of these are made of every attempt that is kept. To whoever runs inside it is a span like any other. It
 * keeps what it was made of, and makes what the SDK reads only when that is read.
 */
export class KeptSpan implements Span, ReadableSpan {
  name: string;
  status: SpanStatus = UNSET;
  events: TimedEvent[] = NONE;
  ended = false;
  readonly droppedAttributesCount = 0;
  droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  readonly parentSpanContext?: SpanContext;
  readonly start: SpanStart;
  /** Unix milliseconds. */
  endedAt = 0;
  /** What whoever made it said last. */
  ending: SpanText['attributes'] | undefined = undefined;
  readonly #origin: SpanOrigin;
  #added: Attributes | undefined = undefined;
  #addedLinks: Link[] | undefined = undefined;
  #context: SpanContext | undefined = undefined;

  constructor(origin: SpanOrigin, start: SpanStart) {
    this.#origin = origin;
    this.start = start;
    this.name = start.text.name;
    const { parent } = start;
    if (parent) this.parentSpanContext = toSpanContext(parent, parent.sampled, true);
  }

  /** Whether its attributes are those that it was made with. */
  get plain(): boolean {
    return this.#added === undefined;
  }

  /** Whether it has links beside those that it was made with. */
  get linked(): boolean {
    return this.#addedLinks !== undefined;
  }

  get kind(): SpanKind {
    return KINDS[this.start.text.kind];
  }

  get links(): Link[] {
    const { links = NONE } = this.start;
    const made = links.map((link) => ({ context: toSpanContext(link, link.sampled, true) }));
    return this.#addedLinks ? [...made, ...this.#addedLinks] : made;
  }

  get attributes(): Attributes {
    const { shared, attributes } = this.start.text;
    return { ...shared, ...attributes, ...this.#added, ...this.ending };
  }

  get startTime(): HrTime {
    return toHrTime(this.start.startedAt);
  }

  get endTime(): HrTime {
    return toHrTime(this.endedAt);
  }

  get resource(): Resource {
    return this.#origin.resource;
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.#origin.scope;
  }

  get duration(): HrTime {
    const [start, end] = [this.startTime, this.endTime];
    const nanos = (end[0] - start[0]) * 1e9 + end[1] - start[1];
    return [Math.floor(nanos / 1e9), nanos % 1e9];
  }

  spanContext(): SpanContext {
    this.#context ??= toSpanContext(this.start.place, true, false);
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (!this.ended) this.#added = { ...this.#added, [key]: value };
    return this;
  }

  setAttributes(attributes: Attributes): this {
    if (!this.ended) this.#added = { ...this.#added, ...attributes };
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this;
    if (this.events.length >= MAX_EVENTS) {
      this.droppedEventsCount++;
      return this;
    }
    const isTime = isTimeInput(attributesOrTime);
    const at = isTime ? attributesOrTime : time;
    const attributes = isTime || attributesOrTime === undefined ? {} : attributesOrTime;
    this.events = [...this.events, { name, time: timeOf(at), attributes, droppedAttributesCount: 0 }];
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { name, message, stack } =
      typeof exception === 'string' ? { name: undefined, message: exception, stack: undefined } : exception;
    const attributes = {
      ...(name === undefined ? {} : { 'exception.type': name }),
      ...(message === undefined ? {} : { 'exception.message': message }),
      ...(stack === undefined ? {} : { 'exception.stacktrace': stack }),
    };
    this.addEvent('exception', attributes, time);
  }

  addLink(link: Link): this {
    if (!this.ended) this.#addedLinks = [...(this.#addedLinks ?? NONE), link];
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus(status: SpanStatus): this {
    if (!this.ended) this.status = status;
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  end(at?: TimeInput): void {
    if (this.ended) return;
    this.endedAt = toMilliseconds(timeOf(at));
    this.#over();
  }

  /** Ends it as whoever made it says it ended: Unix milliseconds, and why it failed, if it did. */
  finish(endedAt: number, error: string | undefined, ending?: SpanText['attributes']): void {
    if (this.ended) return;
    this.endedAt = endedAt;
    this.ending = ending;
    if (error !== undefined) this.status = { code: SpanStatusCode.ERROR, message: error };
    this.#over();
  }

  #over(): void {
    this.ended = true;
    this.#origin.onEnd(this);
  }
}

/** A place as OpenTelemetry says it. */
export function toSpanContext(
  { traceId, spanId }: SpanPlace,
  sampled: boolean,
  isRemote: boolean,
): SpanContext {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote };
}

function toHrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000);
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1e6)];
}

function toMilliseconds([seconds, nanos]: HrTime): number {
  return seconds * 1_000 + nanos / 1e6;
}

function timeOf(time: TimeInput | undefined): HrTime {
  if (Array.isArray(time)) return time;
  if (time instanceof Date) return toHrTime(time.getTime());
  if (typeof time === 'number') {
    // As the SDK has it: no number so small is a time of day.
    return toHrTime(time <= performance.now() ? time + performance.timeOrigin : time);
  }
  return toHrTime(performance.timeOrigin + performance.now());
}

function isTimeInput(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value);
}
