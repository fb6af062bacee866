import { JetbeatError, type JobState, type Reason, type StoredError } from '@jetbeat/core';
import type { JobEnding } from '@jetbeat/jetstream';

/** A job that has no result, and what history says of it. */
interface Ended {
  readonly id: string;
  readonly ending: JobEnding;
}

/** The job is dead. `cause` is its last error, as far as it is known. */
export class JobFailedError extends JetbeatError {
  readonly id: string;
  readonly reason: Reason | undefined;
  /** The last error of its handler, as it was stored. */
  readonly error: StoredError | undefined;

  constructor({ id, ending: { reason, error, task } }: Ended) {
    const why = reason?.text ?? (error ? `${error.name}: ${error.message}` : 'history does not say why');
    super('job_failed', `job ${id} of ${task} is dead: ${why}`, error && { cause: toError(error) });
    this.id = id;
    this.reason = reason;
    this.error = error;
  }
}

/** The job was cancelled. */
export class JobCancelledError extends JetbeatError {
  readonly id: string;
  readonly reason: Reason | undefined;

  constructor({ id, ending: { reason, task } }: Ended) {
    super('job_cancelled', `job ${id} of ${task} was cancelled${reason ? `: ${reason.text}` : ''}`);
    this.id = id;
    this.reason = reason;
  }
}

/** The job was not begun in time. */
export class JobExpiredError extends JetbeatError {
  readonly id: string;
  readonly reason: Reason | undefined;

  constructor({ id, ending: { reason, task } }: Ended) {
    super('job_expired', `job ${id} of ${task} has expired${reason ? `: ${reason.text}` : ''}`);
    this.id = id;
    this.reason = reason;
  }
}

/** The job is not over in time; it goes on, and its result can be asked for again. */
export class ResultTimeoutError extends JetbeatError {
  readonly id: string;
  /** How far the job was when somebody said so last; undefined: history has not heard of it, or nobody could say. */
  readonly state: JobState | undefined;

  constructor({ id, timeoutMs, ending }: { id: string; timeoutMs: number; ending: JobEnding | undefined }) {
    const far = ending
      ? ending.state === undefined
        ? 'history has not heard of it yet'
        : `it is ${ending.state}`
      : 'no recorder has answered: is one running, and PostgreSQL reachable?';
    super('result_timeout', `no result of job ${id} within ${timeoutMs} ms: ${far}`);
    this.id = id;
    this.state = ending?.state;
  }
}

function toError({ name, message, code, stack }: StoredError): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}
