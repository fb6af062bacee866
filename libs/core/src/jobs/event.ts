import type { StoredError } from '../errors.ts';
import type { PolicyOverrides } from '../policy/policy.ts';
import type { Next } from '../policy/retry.ts';
import type { JobEnvelope, Position, Priority } from './envelope.ts';
import type { Outcome, Reason } from './outcome.ts';
import type { Progress } from './progress.ts';

/** What holds a parked job: its task is served nowhere, nobody could say whether it has run, its concurrency key is busy, or its rate is used up. */
export type ParkedFor =
  | { readonly what: 'task' }
  | { readonly what: 'doubt' }
  | {
      readonly what: 'key';
      readonly key: string;
      /** Slots of the key, and how many of them were taken. */
      readonly limit: number;
      readonly taken: number;
      /** Jobs that had them, the first few. */
      readonly by?: readonly string[];
    }
  | {
      readonly what: 'rate';
      /** Whose rate it is (`rateOf`), such as `task mail.send`. */
      readonly rate: string;
      readonly limit: number;
      /** Milliseconds. */
      readonly periodMs: number;
    };

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
  readonly traceId?: string | undefined;
  /** Stream sequence of the message in JOBS that this event speaks of. */
  readonly seq?: number | undefined;
}

/** A client's job is in JetStream. */
export interface AcceptedEvent {
  readonly kind: 'accepted';
  readonly envelope: JobEnvelope;
  /** W3C trace context; absent: the job is a trace of its own (`ownTrace`). */
  readonly traceparent?: string | undefined;
  /** Its sequence in JOBS: of the job's message, or of its timer. */
  readonly seq: number;
  /** The envelope as JSON, where somebody has written it already; only for `encodeEvent`, it does not travel. */
  readonly text?: string | undefined;
}

/**
 * A job that the database has committed is in JetStream. It is for those who follow what happens: history has the job already, and
 * records nothing of this.
 */
export interface PublishedEvent extends JobFacts {
  readonly kind: 'published';
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
  readonly error?: StoredError | undefined;
  readonly result?: unknown;
  readonly next: Next;
  /** The attempt's span, where its trace is sampled: what follows in history is a child of it. */
  readonly span?: string | undefined;
}

/** How far a handler says that it is. Any may be missing: the next one takes its place. */
export interface ProgressEvent extends JobFacts, Progress {
  readonly kind: 'progress';
  readonly runId: string;
  readonly worker: string;
  /** When the run began, Unix milliseconds. */
  readonly startedAt: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/** A job may not start now and waits under `parked.>`. `parks` counts this one already; `seq` is of the message it came from. */
export type ParkedEvent = JobFacts & ParkedFor & { readonly kind: 'parked'; readonly at: number };

/** What held a parked job is free: it is back on its queue. */
export interface ReleasedEvent extends JobFacts {
  readonly kind: 'released';
  readonly at: number;
}

/** A worker gave back a job that it had begun, or been allowed to begin. */
export type ReturnedEvent = JobFacts & {
  readonly kind: 'returned';
  readonly worker: string;
  readonly at: number;
} & (
    | { readonly runId: string; readonly startedAt: number }
    /** Its handler had not begun. */
    | { readonly runId?: undefined; readonly startedAt?: undefined }
  );

/** A job ended without an attempt: it took its workers down too often, it was cancelled in time, or it expired. */
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
  /** It takes nothing new. Absent: it does. */
  readonly draining?: boolean;
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
  | PublishedEvent
  | StartedEvent
  | ProgressEvent
  | SettledEvent
  | ParkedEvent
  | ReleasedEvent
  | ReturnedEvent
  | EndedEvent;

/** A fact about a job or a worker. */
export type Event = JobEvent | WorkerEvent;

type FactsSource = Omit<JobFacts, 'job' | 'traceId' | 'seq'> & Pick<JobEnvelope, 'id'>;

/** The facts of a job that go into each of its events. */
export function factsOf(job: FactsSource, traceId: string | undefined, seq?: number): JobFacts {
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
    traceId,
    seq,
  };
}

/** The event of a job that was committed and is in JetStream now. */
export function publishedEvent(job: FactsSource, traceId: string | undefined): PublishedEvent {
  return { kind: 'published', ...factsOf(job, traceId) };
}
