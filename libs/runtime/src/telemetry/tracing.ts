/** Where a span is: W3C trace context, in the words of core's `TraceContext`. */
export interface SpanPlace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** What a span says of itself. */
export interface SpanText {
  readonly name: string;
  readonly kind: 'internal' | 'client' | 'producer' | 'consumer';
  /** The same object in many spans, whose bytes may be remembered by it; never changed. */
  readonly shared?: Readonly<Record<string, string | number>>;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** A span that has begun. Times in Unix milliseconds, with fractions where they are known. */
export interface SpanStart {
  readonly text: SpanText;
  /** Its own place; whoever travels on with it may have had it before the span is made. */
  readonly place: SpanPlace;
  /** Absent: it begins its trace. */
  readonly parent?: SpanPlace | undefined;
  readonly links?: readonly SpanPlace[];
  readonly startedAt: number;
}

/** A span that is over. */
export interface SpanWhole extends SpanStart {
  readonly endedAt: number;
  /** Why it failed. */
  readonly error?: string | undefined;
}

/** A span under way, to which whoever runs inside may add. */
export interface OpenSpan {
  /** Runs `fn` inside: spans that it makes are children, also behind its promises. */
  run<T>(fn: () => T): T;
  end(ended: {
    readonly at: number;
    readonly attributes: SpanText['attributes'];
    readonly error?: string | undefined;
  }): void;
}

/**
 * Makes the spans of an app. It is there only where tracing is on; nothing of OpenTelemetry shows, so that an app without
 * tracing loads nothing of it.
 */
export interface Tracing {
  /** This machine's clock in Unix milliseconds, with fractions. */
  now(): number;
  /**
   * Whether a trace is kept: by its id alone, so that all apps decide alike, or as the parent was where the sampler heeds it.
   * A job that is a trace of its own may be asked about by the job's id, dashes and all.
   */
  samples(traceId: string, parent?: SpanPlace): boolean;
  newSpanId(): string;
  /** The span inside of which the caller runs. */
  active(): SpanPlace | undefined;
  /** Runs `fn` inside of a span that is made elsewhere, later or never. `at.place` is read when somebody looks where he is. */
  within<T>(at: { readonly place: SpanPlace }, fn: () => T): T;
  /** Runs `fn` such that a trace that begins in it has this id. */
  inTrace<T>(traceId: string, fn: () => T): T;
  /**
   * Begins a span; it is kept whatever the sampler says.
   * @param start asked once: when somebody inside looks at the span, or else when it ends
   */
  begin(start: () => SpanStart): OpenSpan;
  /** Makes a span in hindsight; it is kept whatever the sampler says. */
  emit(span: SpanWhole): void;
  /** Has the statements of a `pg` driver make spans, without their values. `driver.Client` is the class of its connections. */
  instrumentPg(driver: { readonly Client: unknown }): void;
  /** For threads and child processes, which make spans of their own. */
  readonly boxes: {
    /** URL of the module that does so; it exports `openBoxTracing`. */
    readonly module: string;
    /** Takes what such a one sends. */
    take(sent: unknown): void;
  };
  /** Sends what is left, for a few seconds at most. Twice is safe. */
  stop(): Promise<void>;
}
