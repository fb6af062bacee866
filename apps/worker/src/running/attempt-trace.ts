import {
  attemptSpanId,
  createProcessSpans,
  formatTraceparent,
  type JobEnvelope,
  type Next,
  outcomeAttributes,
  ownTrace,
  parseTraceparent,
  type SpanFacts,
  settleSpan,
  type TraceContext,
  waitSpan,
} from '@jetbeat/core';
import type { Delivery } from '@jetbeat/jetstream';
import type { OpenSpan, Tracing } from '@jetbeat/runtime';
import type { Execution } from '@jetbeat/task';

/** The job whose attempt it is. */
export interface Attempted {
  readonly job: JobEnvelope;
  readonly runId: string;
  /** As delivered. */
  readonly traceparent: string | undefined;
  /** The span before this run, as a `traceparent`. */
  readonly link: string | undefined;
  readonly deliveries: readonly Pick<Delivery, 'deliveryCount' | 'storedAt'>[];
}

/** What tracing attempts needs of the worker. */
export interface AttemptTraceParams {
  readonly tracing: Tracing;
  readonly worker: string;
  /** A longer attempt is shown also where its trace is not kept, milliseconds. */
  readonly slowMs: number;
}

/** Not as meant, so it is shown in any case. */
const FAILED: ReadonlySet<Execution['outcome']> = new Set(['failed', 'timed-out', 'rejected', 'lost']);
/** Longer messages of errors are cut. */
const MAX_ERROR = 512;

/** What the traces of one worker's attempts are made with. */
interface Made extends AttemptTraceParams {
  readonly processSpan: ReturnType<typeof createProcessSpans>;
}

/**
 * Makes the trace of an attempt, when its handler is about to begin.
 * @returns a maker that takes Unix milliseconds as well
 */
export function createAttemptTraces(
  params: AttemptTraceParams,
): (held: Attempted, startedAt: number) => AttemptTrace {
  const made: Made = { ...params, processSpan: createProcessSpans(params.worker) };
  return (held, startedAt) => new AttemptTrace(made, held, startedAt);
}

/**
 * The spans of one attempt: `wait` before it, `process` around the handler, `settle` after it. Of a trace that is kept the
 * second is there while the handler runs, so that the handler may add to it; everything else is made when it is over, and so
 * are all three of a failed or slow attempt whose trace is not kept. Of all others nothing is made, not even a trace id.
 */
export class AttemptTrace {
  readonly #made: Made;
  readonly #held: Attempted;
  readonly #carried: TraceContext | undefined;
  readonly #sampled: boolean;
  readonly #startedAt: number;
  #known: TraceContext | undefined = undefined;
  #wait: TraceContext | undefined = undefined;
  #open: OpenSpan | undefined = undefined;
  #endedAt = 0;
  #shown = false;
  #execution: Execution | undefined = undefined;
  #next: Next | undefined = undefined;

  constructor(made: Made, held: Attempted, startedAt: number) {
    const { tracing } = made;
    const { traceparent } = held;
    this.#made = made;
    this.#held = held;
    this.#carried = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    this.#sampled = tracing.samples(this.#carried?.traceId ?? held.job.id, this.#carried);
    this.#startedAt = this.#sampled ? tracing.now() : startedAt;
    if (this.#sampled) this.#open = tracing.begin(() => this.#process());
  }

  /** The attempt's own span, made or not. */
  get place(): TraceContext {
    this.#known ??= {
      traceId: this.#carried?.traceId ?? ownTrace(this.#held.job.id).traceId,
      spanId: attemptSpanId(this.#held.runId),
      sampled: this.#sampled,
    };
    return this.#known;
  }

  /** The attempt's span id, for those who make more spans of its trace. */
  get keptSpan(): string | undefined {
    return this.#sampled ? this.place.spanId : undefined;
  }

  /** What the next message of the job carries: its trace, and the attempt that came before. */
  get carried(): { readonly traceparent: string | undefined; readonly link: string | undefined } {
    const { traceparent, link } = this.#held;
    if (!this.#shown) return { traceparent, link };
    return {
      // Where nobody has made a span before, what follows hangs on the first wait.
      traceparent: this.#sampled && !this.#carried ? formatTraceparent(this.#parent()) : traceparent,
      link: formatTraceparent({ ...this.place, sampled: true }),
    };
  }

  /** Runs the handler inside. */
  run<T>(fn: () => T): T {
    return this.#open ? this.#open.run(fn) : this.#made.tracing.within(this, fn);
  }

  /** The handler is done, or given up. */
  ended(execution: Execution, finishedAt: number): void {
    const { tracing, slowMs } = this.#made;
    this.#execution = execution;
    this.#endedAt = this.#open ? tracing.now() : finishedAt;
    this.#shown = this.#sampled || FAILED.has(execution.outcome) || finishedAt - this.#startedAt >= slowMs;
    this.#open?.end({ at: this.#endedAt, ...this.#end(execution) });
  }

  /** What becomes of the job is stored. */
  decided(next: Next): void {
    this.#next = next;
  }

  /** Its message is acknowledged. */
  settled(): void {
    const execution = this.#execution;
    if (!this.#shown || !execution) return;
    const { tracing } = this.#made;
    const { job } = this.#held;
    const startedAt = this.#startedAt;
    const waited = { startedAt: Math.min(this.#dueAt(), startedAt), endedAt: startedAt };
    const parent = this.#keptParent();
    const wait = parent ? this.#place() : this.#parent();
    tracing.emit({ text: waitSpan(job), place: wait, parent, ...waited });
    const endedAt = this.#endedAt;
    if (!this.#open) {
      const { attributes, error } = this.#end(execution);
      const process = this.#process();
      const text = { ...process.text, attributes: { ...process.text.attributes, ...attributes } };
      tracing.emit({ ...process, text, endedAt, error });
    }
    tracing.emit({
      text: settleSpan(job, execution.outcome, this.#next),
      place: this.#place(),
      parent: this.place,
      startedAt: endedAt,
      endedAt: Math.max(endedAt, tracing.now()),
    });
  }

  #process() {
    const { job, runId, link, deliveries } = this.#held;
    const before = link === undefined ? undefined : parseTraceparent(link);
    const deliveryCount = deliveries[0]?.deliveryCount ?? 1;
    return {
      text: this.#made.processSpan(job, { runId, deliveryCount }),
      place: this.place,
      parent: this.#parent(),
      ...(before ? { links: [before] } : {}),
      startedAt: this.#startedAt,
    };
  }

  #end({ outcome, error }: Execution): { attributes: SpanFacts['attributes']; error: string | undefined } {
    const failed = FAILED.has(outcome);
    return {
      attributes: outcomeAttributes(outcome, failed ? error?.name : undefined),
      error: failed ? (error?.message ?? outcome).slice(0, MAX_ERROR) : undefined,
    };
  }

  /** The span that somebody has made before, or else the wait, which then begins what is shown. */
  #parent(): TraceContext {
    const kept = this.#keptParent();
    if (kept) return kept;
    this.#wait ??= this.#place();
    return this.#wait;
  }

  #keptParent(): TraceContext | undefined {
    return this.#carried?.sampled ? this.#carried : undefined;
  }

  #place(): TraceContext {
    return { traceId: this.place.traceId, spanId: this.#made.tracing.newSpanId(), sampled: true };
  }

  /** When its message was there: sent, fired by its timer, or released. */
  #dueAt(): number {
    return this.#held.deliveries[0]?.storedAt ?? this.#startedAt;
  }
}
