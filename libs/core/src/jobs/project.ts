import type { StoredError } from '../errors.ts';
import { parkedReason } from '../limits/parked-reason.ts';
import type { Next } from '../policy/retry.ts';
import { parseTraceparent } from '../trace-context.ts';
import type { JobEnvelope, Position, Priority } from './envelope.ts';
import { factsOf, type JobEvent, type JobFacts } from './event.ts';
import { isTerminal, type JobState } from './job-state.ts';
import { orderOf, PHASES } from './order.ts';
import type { Outcome, Reason } from './outcome.ts';
import { type JobProgress, lastProgress } from './progress.ts';

/** What a batch of events makes of one job: one row change, however many events there were. Times in Unix milliseconds. */
export interface JobChange extends Position {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  readonly createdAt: number;
  readonly runAt: number;
  readonly state: JobState;
  /** `orderOf` the event that gave the state. */
  readonly order: number;
  /** When the job should next begin. */
  readonly dueAt: number;
  readonly traceId?: string;
  readonly traceparent?: string;
  /** Sequence of its message in JOBS, where it is known. */
  readonly seq?: number;
  readonly worker?: string;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly next?: Next;
  readonly reason?: Reason;
  readonly error?: StoredError;
  readonly result?: unknown;
  /** What its handler has said last of how far it is, where this says so. */
  readonly progress?: JobProgress;
  /** How often what ran it has vanished, where this says so. */
  readonly losses?: number;
  /** Only an `accepted` event knows it. */
  readonly envelope?: JobEnvelope;
}

/** One attempt as history keeps it; its key is (job, runId). Times in Unix milliseconds. */
export interface AttemptChange {
  readonly job: string;
  readonly runId: string;
  readonly number: number;
  readonly run: number;
  readonly worker: string;
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly outcome?: Outcome;
  readonly error?: StoredError;
}

/** What a batch of events makes of history. */
export interface Changes {
  readonly jobs: readonly JobChange[];
  readonly attempts: readonly AttemptChange[];
}

/** Folds events into the fewest row changes; the order of the events within the batch does not matter. */
export function project(events: readonly JobEvent[]): Changes {
  const jobs = new Map<string, JobChange>();
  const attempts = new Map<string, AttemptChange>();
  for (const event of events) {
    const change = jobChange(event);
    const before = jobs.get(change.id);
    jobs.set(change.id, before ? mergeJob(before, change) : change);
    const attempt = attemptChange(event);
    if (!attempt) continue;
    const key = `${attempt.job}/${attempt.runId}`;
    const known = attempts.get(key);
    attempts.set(key, known && known.outcome !== undefined ? known : attempt);
  }
  return { jobs: [...jobs.values()], attempts: [...attempts.values()] };
}

/**
 * Merges two changes of one job: the first terminal state wins, then any terminal state, then the later position; what only one knows is kept.
 * The recorder's upsert does the same against the stored row.
 */
export function mergeJob(before: JobChange, after: JobChange): JobChange {
  const later = isLater(before, after) ? after : before;
  const other = later === before ? after : before;
  const startedAt = Math.min(
    before.startedAt ?? Number.POSITIVE_INFINITY,
    after.startedAt ?? Number.POSITIVE_INFINITY,
  );
  const envelope = later.envelope ?? other.envelope;
  const traceId = later.traceId ?? other.traceId;
  const traceparent = later.traceparent ?? other.traceparent;
  const losses = Math.max(before.losses ?? 0, after.losses ?? 0);
  const progress = lastProgress(before.progress, after.progress);
  return {
    ...later,
    ...(Number.isFinite(startedAt) ? { startedAt } : {}),
    ...(envelope === undefined ? {} : { envelope }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(losses === 0 ? {} : { losses }),
    ...(progress === undefined ? {} : { progress }),
  };
}

/** An end is a fact whenever it is heard of; between steps on the way the position decides. */
function isLater(before: JobChange, after: JobChange): boolean {
  if (isTerminal(before.state)) return false;
  return isTerminal(after.state) || after.order > before.order;
}

function jobChange(event: JobEvent): JobChange {
  switch (event.kind) {
    case 'accepted':
      return accepted(event.envelope, event.traceparent, event.seq);
    case 'published':
      return beginning(event, event.seq);
    case 'started':
      return {
        ...base(event),
        state: 'running',
        order: orderOf(event, PHASES.running),
        dueAt: event.at,
        startedAt: event.at,
        worker: event.worker,
      };
    case 'progress': {
      // It implies the start, which may be told later, or never.
      const { value, note, run, at } = event;
      return {
        ...base(event),
        state: 'running',
        order: orderOf(event, PHASES.running),
        dueAt: event.startedAt,
        startedAt: event.startedAt,
        worker: event.worker,
        progress: { value, ...(note === undefined ? {} : { note }), run, at },
      };
    }
    case 'settled': {
      const { next } = event;
      return {
        ...base(event),
        state: next.state,
        order: orderOf(event, PHASES.settled),
        dueAt: next.state === 'retrying' ? next.runAt : event.startedAt,
        ...(next.state === 'retrying' && next.losses !== undefined ? { losses: next.losses } : {}),
        startedAt: event.startedAt,
        worker: event.worker,
        next,
        ...(next.state === 'retrying' ? {} : { finishedAt: event.finishedAt }),
        ...('reason' in next ? { reason: next.reason } : {}),
        ...(event.error === undefined ? {} : { error: event.error }),
        ...(event.result === undefined ? {} : { result: event.result }),
      };
    }
    case 'parked':
      return {
        // Its message is another one now, whose sequence is known when it is released.
        ...base({ ...event, seq: undefined }),
        state: 'parked',
        order: orderOf(event, PHASES.parked),
        dueAt: event.at,
        reason: parkedReason(event),
      };
    case 'released':
      return { ...base(event), state: 'queued', order: orderOf(event, PHASES.released), dueAt: event.at };
    case 'returned': {
      // What comes next is a new run, so that its start is later than this.
      const position = { ...event, run: event.run + 1 };
      return { ...base(position), state: 'queued', order: orderOf(position, PHASES.queued), dueAt: event.at };
    }
    case 'ended':
      return {
        ...base(event),
        state: event.state,
        order: orderOf(event, PHASES.ended),
        dueAt: event.at,
        finishedAt: event.at,
        reason: event.reason,
      };
  }
}

function accepted(envelope: JobEnvelope, traceparent: string | undefined, seq: number): JobChange {
  const begun = beginning(factsOf(envelope, parseTraceparent(traceparent)?.traceId), seq);
  return { ...begun, ...(traceparent ? { traceparent } : {}), envelope };
}

/** How a job begins. */
function beginning(facts: JobFacts, seq: number | undefined): JobChange {
  const delayed = facts.runAt > facts.createdAt;
  return {
    // A timer's sequence is not the one under which the job will be delivered.
    ...base({ ...facts, seq: delayed ? undefined : seq }),
    state: delayed ? 'scheduled' : 'queued',
    order: orderOf(facts, PHASES.queued),
    dueAt: facts.runAt,
  };
}

function base(facts: JobFacts) {
  const { job, task, queue, priority, createdAt, runAt, attempt, run, parks, traceId, seq } = facts;
  return {
    id: job,
    task,
    queue,
    priority,
    createdAt,
    runAt,
    attempt,
    run,
    parks,
    ...(traceId === undefined ? {} : { traceId }),
    ...(seq === undefined ? {} : { seq }),
  };
}

/** Nobody cancelled the job: it runs again. */
const GIVEN_BACK: StoredError = {
  name: 'GivenBack',
  code: 'given_back',
  message: 'the worker was stopping, or could start no child for it, and gave the job back',
};

function attemptChange(event: JobEvent): AttemptChange | undefined {
  if (event.kind !== 'started' && event.kind !== 'settled' && event.kind !== 'returned') return undefined;
  if (event.runId === undefined) return undefined;
  const { job, runId, attempt: number, run, worker } = event;
  const begun = { job, runId, number, run, worker };
  switch (event.kind) {
    case 'started':
      return { ...begun, startedAt: event.at };
    case 'settled': {
      const { startedAt, finishedAt, outcome, error } = event;
      return { ...begun, startedAt, finishedAt, outcome, ...(error ? { error } : {}) };
    }
    case 'returned':
      return {
        ...begun,
        startedAt: event.startedAt,
        finishedAt: event.at,
        outcome: 'cancelled',
        error: GIVEN_BACK,
      };
  }
}
