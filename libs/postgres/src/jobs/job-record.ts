import type {
  Asker,
  AttemptChange,
  JobProgress,
  JobState,
  Next,
  PolicyOverrides,
  Position,
  Priority,
  Reason,
  ScheduleRef,
  StoredError,
  UniqueRef,
} from '@jetbeat/core';
import { known } from '../database/json.ts';
import { ms, nextOf } from '../database/sql.ts';

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
  /** Who asked for it at the API. */
  readonly requestedBy?: Asker;
  /** `orderOf` its message since it was moved by hand: those before it are void. */
  readonly movedBelow?: number;
  /** Somebody has begun to cancel it. */
  readonly cancelRequestedAt?: number;
  readonly cancelReason?: string;
}

/** One attempt as history keeps it. Times in Unix milliseconds. */
export type AttemptRecord = Omit<AttemptChange, 'job'>;

/** What of a job is shown; the rest is for those who act on it. */
type ShownRecord = Omit<
  JobRecord,
  | 'run'
  | 'parks'
  | 'losses'
  | 'published'
  | 'inputKnown'
  | 'policy'
  | 'next'
  | 'worker'
  | 'traceparent'
  | 'seq'
  | 'movedBelow'
  | 'totalLimitAt'
  | 'cancelRequestedAt'
  | 'cancelReason'
>;

/** A job and its attempts, in the order of their runs. */
export type JobWithAttempts = JobRecord & { readonly attempts: readonly AttemptRecord[] };

/** The same, as far as it is shown. */
export type ShownJob = ShownRecord & { readonly attempts: readonly AttemptRecord[] };

/** What a caller can put in, of any size. */
export type WideField = 'input' | 'meta' | 'result' | 'reason' | 'error';

/**
 * What to select for `shownRecord`, of the table alias `j`.
 * @param params.of SQL of what may be large
 * @param params.time SQL of a time, as Unix milliseconds
 */
export const shownSelect = ({
  of,
  time,
}: {
  of: (field: WideField) => string;
  time: (column: string) => string;
}) => `j.id, j.task, j.queue, j.priority, j.state, j."position"::float8 as "order", j.attempt, j.origin, j.progress,
  ${of('input')} as input, ${of('meta')} as meta, ${of('reason')} as reason, ${of('result')} as result, ${of('error')} as error,
  j.trace_id as "traceId", j.parent, j.unique_key as "unique", j.retry_of as "retryOf", j.requested_by as "requestedBy",
  j.schedule_id as "scheduleId", j.schedule_name as "scheduleName", ${time('j.nominal_time')} as "nominalTime",
  ${time('j.created_at')} as "createdAt", ${time('j.run_at')} as "runAt", ${time('j.due_at')} as "dueAt",
  ${time('j.expires_at')} as "expiresAt", ${time('j.started_at')} as "startedAt", ${time('j.finished_at')} as "finishedAt"`;

/** All of a job. */
export const JOB_SELECT = `${shownSelect({ of: (field) => `j.${field}`, time: ms })},
  j.run, j.parks, j.losses, j.published, j.input_known as "inputKnown", j.policy, ${nextOf('j.state', 'j.next')} as next,
  j.worker_id as worker, j.traceparent, j.stream_seq::float8 as seq, j.moved_below::float8 as "movedBelow",
  ${ms('j.total_limit_at')} as "totalLimitAt", ${ms('j.cancel_requested_at')} as "cancelRequestedAt", j.cancel_reason as "cancelReason"`;

/** What to select for an `AttemptRow`, of the table alias `a`. */
export const attemptSelect = (error = 'a.error', time = ms) =>
  `a.run_id as "runId", a.number, a.run, a.worker_id as worker, a.outcome, ${error} as error,
  ${time('a.started_at')} as "startedAt", ${time('a.finished_at')} as "finishedAt"`;

type Nullable<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K];
};

type RowOf<Shown> = Nullable<Omit<Shown, 'schedule'>> & {
  readonly scheduleId: string | null;
  readonly scheduleName: string | null;
  readonly nominalTime: number | null;
};

/** A row of `JOB_SELECT`. */
export type JobRow = RowOf<JobRecord>;

/** A row of `shownSelect`. */
export type ShownRow = RowOf<ShownRecord>;

/** A row of `attemptSelect`. */
export type AttemptRow = Nullable<AttemptRecord>;

/** Reads a row: what is not known is absent. */
export function jobRecord(row: JobRow): JobRecord {
  const { run, parks, losses, published, inputKnown } = row;
  const {
    policy,
    next,
    worker,
    traceparent,
    seq,
    movedBelow,
    totalLimitAt,
    cancelRequestedAt,
    cancelReason,
  } = row;
  const optional = {
    policy,
    next,
    worker,
    traceparent,
    seq,
    movedBelow,
    totalLimitAt,
    cancelRequestedAt,
    cancelReason,
  };
  return {
    ...shownRecord(row, row),
    ...(known(optional) as Partial<JobRecord>),
    run,
    parks,
    losses,
    published,
    inputKnown,
  };
}

/** The same of what is shown. @param wide what may be large */
export function shownRecord(row: Omit<ShownRow, WideField>, wide: Pick<ShownRow, WideField>): ShownRecord {
  const { id, task, queue, priority, state, order, attempt, origin, createdAt, runAt, dueAt } = row;
  const { progress, traceId, parent, unique, retryOf, requestedBy } = row;
  const { input, reason, meta, result, error } = wide;
  const { expiresAt, startedAt, finishedAt, scheduleId, scheduleName, nominalTime } = row;
  const optional = {
    reason,
    meta,
    result,
    error,
    progress,
    traceId,
    parent,
    unique,
    retryOf,
    requestedBy,
    expiresAt,
    startedAt,
    finishedAt,
  };
  const schedule =
    scheduleId !== null && scheduleName !== null && nominalTime !== null
      ? { id: scheduleId, name: scheduleName, nominalTime, origin }
      : undefined;
  return {
    ...(known(optional) as Partial<ShownRecord>),
    id,
    task,
    queue,
    priority,
    state,
    order,
    attempt,
    origin,
    input,
    createdAt,
    runAt,
    dueAt,
    ...(schedule ? { schedule } : {}),
  };
}

/** Reads a row of an attempt. */
export function attemptRecord(row: AttemptRow): AttemptRecord {
  const { runId, number, run, worker, startedAt, finishedAt, outcome, error } = row;
  const optional = known({ finishedAt, outcome, error }) as Partial<AttemptRecord>;
  return { runId, number, run, worker, startedAt, ...optional };
}
