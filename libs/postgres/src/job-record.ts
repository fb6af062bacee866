import type {
  JobProgress,
  JobState,
  Next,
  Outcome,
  PolicyOverrides,
  Position,
  Priority,
  Reason,
  ScheduleRef,
  StoredError,
  UniqueRef,
} from '@jetbeat/core';
import { known } from './json.ts';
import { ms, nextOf } from './sql.ts';

/** One job as history keeps it. Times in Unix milliseconds. */
export interface JobRecord extends Position {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  readonly state: JobState;
  /** `orderOf` the event that gave the state. */
  readonly order: number;
  readonly reason?: Reason;
  /** False until the `accepted` event of a client's job brings the input. */
  readonly inputKnown: boolean;
  readonly input: unknown;
  readonly meta?: Readonly<Record<string, string>>;
  readonly policy?: PolicyOverrides;
  readonly createdAt: number;
  readonly runAt: number;
  /** No run begins then or later. */
  readonly expiresAt?: number;
  /** When it should next begin. */
  readonly dueAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** How often a worker vanished with it. */
  readonly losses: number;
  /** Sequence of its message in JOBS, where it is known. */
  readonly seq?: number;
  /** Something says that it is in JetStream. */
  readonly published: boolean;
  readonly result?: unknown;
  readonly error?: StoredError;
  readonly next?: Next;
  /** What its handler has said last of how far it is. */
  readonly progress?: JobProgress;
  readonly worker?: string;
  readonly traceId?: string;
  readonly traceparent?: string;
  readonly schedule?: ScheduleRef;
  /** `api`, `client`, or the origin of its occurrence. */
  readonly origin: string;
  /** When it counts as lost. */
  readonly totalLimitAt?: number;
  readonly parent?: string;
  /** The key that it is unique by. */
  readonly unique?: UniqueRef;
  /** The job that it was made from by a retry. */
  readonly retryOf?: string;
  /** `orderOf` its message since it was moved by hand: those before it are void. */
  readonly movedBelow?: number;
  /** Somebody has begun to cancel it. */
  readonly cancelRequestedAt?: number;
  readonly cancelReason?: string;
}

/** One attempt as history keeps it. Times in Unix milliseconds. */
export interface AttemptRecord {
  readonly runId: string;
  readonly number: number;
  readonly run: number;
  readonly worker: string;
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly outcome?: Outcome;
  readonly error?: StoredError;
}

/** A job and its attempts, in the order of their runs. */
export type JobWithAttempts = JobRecord & { readonly attempts: readonly AttemptRecord[] };

/** What a caller can put in, of any size. */
export type WideField = 'input' | 'meta' | 'result' | 'reason' | 'error';

/** What to select for `jobRecord`, of the table alias `j`; `of` makes the SQL of what may be large, which `next` is by its reason. */
export const jobSelect = (
  of: (field: WideField | 'next') => string,
) => `j.id, j.task, j.queue, j.priority, j.state, j."position"::float8 as "order",
  j.attempt, j.run, j.parks, j.losses, j.published, j.origin, j.input_known as "inputKnown", j.policy, j.progress,
  ${of('input')} as input, ${of('meta')} as meta, ${of('reason')} as reason, ${of('result')} as result, ${of('error')} as error,
  ${of('next')} as next, j.worker_id as worker, j.trace_id as "traceId", j.traceparent, j.parent, j.unique_key as "unique",
  j.stream_seq::float8 as seq, j.cancel_reason as "cancelReason",
  j.retry_of as "retryOf", j.moved_below::float8 as "movedBelow",
  j.schedule_id as "scheduleId", j.schedule_name as "scheduleName", ${ms('j.nominal_time')} as "nominalTime",
  ${ms('j.created_at')} as "createdAt", ${ms('j.run_at')} as "runAt", ${ms('j.due_at')} as "dueAt",
  ${ms('j.expires_at')} as "expiresAt",
  ${ms('j.started_at')} as "startedAt", ${ms('j.finished_at')} as "finishedAt",
  ${ms('j.total_limit_at')} as "totalLimitAt", ${ms('j.cancel_requested_at')} as "cancelRequestedAt"`;

/** All of a job. */
export const JOB_SELECT = jobSelect((field) =>
  field === 'next' ? nextOf('j.state', 'j.next') : `j.${field}`,
);

/** What to select for an `AttemptRow`, of the table alias `a`. */
export const attemptSelect = (error = 'a.error') =>
  `a.job_id as job, a.run_id as "runId", a.number, a.run, a.worker_id as worker, a.outcome, ${error} as error,
  ${ms('a.started_at')} as "startedAt", ${ms('a.finished_at')} as "finishedAt"`;

type Nullable<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K];
};

/** A row of `jobSelect`. */
export type JobRow = Nullable<Omit<JobRecord, 'schedule'>> & {
  readonly scheduleId: string | null;
  readonly scheduleName: string | null;
  readonly nominalTime: number | null;
};

/** A row of `attemptSelect`. */
export type AttemptRow = Nullable<AttemptRecord> & { readonly job: string };

/** Reads a row: what is not known is absent. */
export function jobRecord(row: JobRow): JobRecord {
  const { id, task, queue, priority, state, order, attempt, run, parks, losses, published, origin } = row;
  const { inputKnown, input, createdAt, runAt, dueAt, scheduleId, scheduleName, nominalTime, ...optional } =
    row;
  const schedule =
    scheduleId !== null && scheduleName !== null && nominalTime !== null
      ? { id: scheduleId, name: scheduleName, nominalTime, origin }
      : undefined;
  return {
    ...(known(optional) as Partial<JobRecord>),
    id,
    task,
    queue,
    priority,
    state,
    order,
    attempt,
    run,
    parks,
    losses,
    published,
    origin,
    inputKnown,
    input,
    createdAt,
    runAt,
    dueAt,
    ...(schedule ? { schedule } : {}),
  };
}

/** Reads a row of an attempt. */
export function attemptRecord({ job: _, ...row }: AttemptRow): AttemptRecord {
  const { runId, number, run, worker, startedAt, ...optional } = row;
  return { runId, number, run, worker, startedAt, ...(known(optional) as Partial<AttemptRecord>) };
}
