import type { JobEnvelope, Position, Priority } from './envelope.ts';
import { MalformedMessageError, type StoredError } from './errors.ts';
import { isUuid } from './ids.ts';
import type { Outcome, Reason } from './outcome.ts';
import type { PolicyOverrides } from './policy.ts';
import type { Next } from './retry.ts';

/** What holds a parked job: its task is served nowhere, or nobody could say whether it has run. */
export type ParkedFor = { readonly what: 'task' } | { readonly what: 'doubt' };

/** What every event of a job says about it, so that history can begin with any of them. */
export interface JobFacts extends Position {
  /** The job's id, a UUIDv7. */
  readonly job: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Unix milliseconds. */
  readonly runAt: number;
  /** Absent: that of the job itself (`ownTrace`). */
  readonly traceId?: string;
  /** Stream sequence of the message in JOBS that this event speaks of. */
  readonly seq?: number;
}

/** A client's job is in JetStream. */
export interface AcceptedEvent {
  readonly kind: 'accepted';
  readonly envelope: JobEnvelope;
  /** W3C trace context; absent: the job is a trace of its own (`ownTrace`). */
  readonly traceparent?: string | undefined;
  /** Its sequence in JOBS: of the job's message, or of its timer. */
  readonly seq: number;
}

/** A handler has begun. Sent only for runs longer than 50 ms, and before the run where there was a doubt. */
export interface StartedEvent extends JobFacts {
  readonly kind: 'started';
  readonly runId: string;
  readonly worker: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** An attempt has ended, and what follows. Stored before the message is acknowledged. */
export interface SettledEvent extends JobFacts {
  readonly kind: 'settled';
  readonly runId: string;
  readonly worker: string;
  readonly outcome: Outcome;
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** Unix milliseconds. */
  readonly finishedAt: number;
  readonly error?: StoredError;
  readonly result?: unknown;
  readonly next: Next;
}

/** A job may not start now and waits under `parked.>`. `parks` counts this one already. */
export interface ParkedEvent extends JobFacts {
  readonly kind: 'parked';
  readonly what: ParkedFor['what'];
  readonly at: number;
}

/** What held a parked job is free: it is back on its queue. */
export interface ReleasedEvent extends JobFacts {
  readonly kind: 'released';
  readonly at: number;
}

/** A stopping worker gave back a job that it had begun. */
export interface ReturnedEvent extends JobFacts {
  readonly kind: 'returned';
  readonly runId: string;
  readonly worker: string;
  readonly startedAt: number;
  readonly at: number;
}

/** A job ended without an attempt: it took its workers down too often, or it was cancelled in time. */
export interface EndedEvent extends JobFacts {
  readonly kind: 'ended';
  readonly state: 'dead' | 'cancelled' | 'expired';
  readonly reason: Reason;
  readonly at: number;
}

/** What a worker says of one of its tasks. */
export interface TaskInfo {
  readonly name: string;
  /** JSON Schema of the input, where the task's schema can tell it. */
  readonly inputSchema?: unknown;
  readonly queue?: string;
  readonly priority?: Priority;
  readonly policy?: PolicyOverrides;
}

/** A worker is alive; sent at its start, every third of ack_wait, and at its stop. */
export interface WorkerEvent {
  readonly kind: 'worker';
  readonly worker: string;
  readonly state: 'running' | 'stopped';
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** Jobs held now. */
  readonly held: number;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly at: number;
  /** Sent in full at the start and with every heartbeat in which the list changed. */
  readonly tasks?: readonly TaskInfo[];
}

/** An event of a job. */
export type JobEvent =
  | AcceptedEvent
  | StartedEvent
  | SettledEvent
  | ParkedEvent
  | ReleasedEvent
  | ReturnedEvent
  | EndedEvent;

/** A fact about a job or a worker. */
export type Event = JobEvent | WorkerEvent;

const KINDS: ReadonlySet<string> = new Set<Event['kind']>([
  'accepted',
  'started',
  'settled',
  'parked',
  'released',
  'returned',
  'ended',
  'worker',
]);

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Writes one event as JSON text; a batch is these joined by commas in brackets. */
export function encodeEvent(event: Event): string {
  return JSON.stringify(event);
}

/** Writes a batch of already encoded events as one UTF-8 JSON array. */
export function encodeBatch(encoded: readonly string[]): Uint8Array {
  return encoder.encode(`[${encoded.join(',')}]`);
}

/** A batch that was read: what is known, and how many entries were not. */
export interface DecodedBatch {
  readonly events: readonly Event[];
  readonly skipped: number;
}

/**
 * Reads a batch. An entry that is no known event is counted, not thrown: one stranger must not hold up history.
 * @throws MalformedMessageError when the whole is not a JSON array
 */
export function decodeBatch(data: Uint8Array): DecodedBatch {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(data));
  } catch (cause) {
    throw new MalformedMessageError('the event batch is not UTF-8 JSON', { cause });
  }
  if (!Array.isArray(value)) throw new MalformedMessageError('the event batch is no JSON array');
  const events = value.filter(isEvent);
  return { events, skipped: value.length - events.length };
}

function isEvent(value: unknown): value is Event {
  if (typeof value !== 'object' || value === null) return false;
  const event = value as { kind?: unknown; job?: unknown; worker?: unknown; envelope?: { id?: unknown } };
  if (typeof event.kind !== 'string' || !KINDS.has(event.kind)) return false;
  if (event.kind === 'worker') return typeof event.worker === 'string';
  if (event.kind === 'accepted') return isUuid(event.envelope?.id);
  return isUuid(event.job) && isPosition(event as Partial<Position>);
}

function isPosition(value: Partial<Position>): boolean {
  return (
    Number.isSafeInteger(value.attempt) &&
    Number.isSafeInteger(value.run) &&
    Number.isSafeInteger(value.parks)
  );
}

/** The facts of a job that go into each of its events. */
export function factsOf(job: JobEnvelope, traceId: string | undefined, seq?: number): JobFacts {
  return {
    job: job.id,
    task: job.task,
    queue: job.queue,
    priority: job.priority,
    createdAt: job.createdAt,
    runAt: job.runAt,
    attempt: job.attempt,
    run: job.run,
    parks: job.parks,
    ...(traceId === undefined ? {} : { traceId }),
    ...(seq === undefined ? {} : { seq }),
  };
}
