/** The W3C trace context (https://www.w3.org/TR/trace-context/) of a job, as it travels in a message header. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Ids of zeros only are none. */
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/;

/** Reads a `traceparent` header; anything else than a valid one is as good as none. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  if (!header) return undefined;
  const [, traceId, spanId, flags] = TRACEPARENT.exec(header) ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Writes a `traceparent` header. */
export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`;
}

/**
 * The trace of a job that nobody has put into one: its id is the job's. Not sampled; whoever has a sampler decides, and
 * all decide alike, since the id is the same for all. The span is one that nobody makes.
 */
export function ownTrace(jobId: string): TraceContext {
  // In its canonical form the dashes have fixed places; this is done for every job.
  const hex = `${jobId.slice(0, 8)}${jobId.slice(9, 13)}${jobId.slice(14, 18)}${jobId.slice(19, 23)}${jobId.slice(24)}`;
  return { traceId: hex, spanId: hex.slice(16), sampled: false };
}

/** The trace of a job: the one it was put into, or else its own. */
export function traceOf(job: {
  readonly id: string;
  readonly traceparent?: string | undefined;
}): TraceContext {
  return (job.traceparent ? parseTraceparent(job.traceparent) : undefined) ?? ownTrace(job.id);
}

/** A new trace of 24 random bytes, not sampled: a tracer with a sampler decides that, not we. */
export function newTrace(random: Uint8Array): TraceContext {
  const hex = Buffer.from(random.subarray(0, 24)).toString('hex');
  return { traceId: hex.slice(0, 32), spanId: hex.slice(32, 48), sampled: false };
}
