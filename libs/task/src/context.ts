import type { CallOptions, InputOf, Priority, TaskRef } from '@jetbeat/core';

interface LogLine {
  (fields: object, message?: string): void;
  (message: string): void;
}

/** The log of one run; every line carries job, run and trace id. A pino logger fits. */
export interface TaskLog {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
}

/** The job that a handler runs. */
export interface JobView {
  /** The same for every attempt: a good idempotency key for what the handler calls. */
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  readonly meta: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  /** When the job was due; a retry does not change it. */
  readonly runAt: Date;
  /** The job that enqueued this one. */
  readonly parent?: string;
}

/** What a handler may say when it enqueues a job. */
export interface ChildOptions extends CallOptions {
  /** Tells two calls of one handler apart when their order may differ between attempts; 1 to 256 characters. */
  readonly key?: string;
}

/** What a handler is given beside its input. */
export interface Context {
  readonly job: JobView;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** Aborts at the soft time limit, at the hard one, on a cancel, and when the worker has to give the job back. */
  readonly signal: AbortSignal;
  /** When the attempt ends as `timed-out`, whatever the handler does. */
  readonly deadline: Date;
  readonly log: TaskLog;
  /** Present when a schedule made the job. */
  readonly schedule?: { readonly name: string; readonly nominalTime: Date } | undefined;
  /**
   * Says how far the job is, from 0 to 100, and in a few words. It never waits: of what is said faster than it can be told,
   * about four times a second, the last counts. History keeps it after the job has ended.
   * @throws InvalidInputError for a value that is no number from 0 to 100
   */
  progress(value: number, note?: string): void;
  /**
   * Enqueues a job once, however often this job is retried: its id derives from this job and the call's key (`key`, else
   * the task's name and the number of the call). Resolves when JetStream has it.
   * @throws InvalidInputError for a wrong option or input
   * @throws AttemptOverError when the attempt has ended already
   */
  enqueue<Ref extends TaskRef>(
    task: Ref | string,
    input: InputOf<Ref>,
    options?: ChildOptions,
  ): Promise<{
    readonly id: string;
    readonly task: string;
    /** False: a job with the call's unique key is there already, and this is it. */
    readonly created: boolean;
  }>;
}
