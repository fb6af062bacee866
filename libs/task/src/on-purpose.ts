import { JetbeatError, parseDuration } from '@jetbeat/core';

const BRAND = Symbol.for('jetbeat.on-purpose');

/** How a handler may end its attempt on purpose. */
export type Purpose = 'retry' | 'snooze' | 'reject' | 'cancel';

/** What `Retry`, `Snooze`, `Reject` and `Cancel` make: throw it to end the attempt that way. */
export class OnPurposeError extends JetbeatError {
  readonly purpose: Purpose;
  /** Milliseconds until the next run, where the handler said so. */
  readonly delay?: number;

  constructor(
    purpose: Purpose,
    message: string,
    options: { delay?: number; code?: string; cause?: unknown } = {},
  ) {
    super(options.code ?? purpose, message, options.cause === undefined ? {} : { cause: options.cause });
    this.purpose = purpose;
    if (options.delay !== undefined) this.delay = options.delay;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether a thrown value came from one of the four, also from another copy of this package. */
export function isOnPurpose(thrown: unknown): thrown is OnPurposeError {
  return typeof thrown === 'object' && thrown !== null && BRAND in thrown;
}

/**
 * `throw Retry({ delay: '5s' })`: the attempt failed, try again after `delay` instead of the task's backoff. It counts
 * as a failed attempt, so it ends when the attempts are used up.
 * @throws InvalidInputError when `delay` is no duration
 */
export function Retry(options: { delay?: string; reason?: string; cause?: unknown } = {}): OnPurposeError {
  return later('retry', options.reason ?? 'the handler asked for another attempt', options);
}

/**
 * `throw Snooze({ delay: '1h' })`: not now. The job runs again after `delay`, and no attempt is used up.
 * @throws InvalidInputError when `delay` is no duration
 */
export function Snooze(options: { delay: string; reason?: string; cause?: unknown }): OnPurposeError {
  return later('snooze', options.reason ?? 'the handler asked to run later', options);
}

/**
 * `throw Reject('no such customer')`: this job can never succeed; it is dead at once, with this reason. `code` is the
 * error's code in history, `reject` where nothing is said.
 */
export function Reject(reason: string, options: { code?: string; cause?: unknown } = {}): OnPurposeError {
  return new OnPurposeError('reject', reason, options);
}

/** `throw Cancel()`: the job is no longer wanted; it ends as cancelled. */
export function Cancel(reason = 'the handler cancelled the job'): OnPurposeError {
  return new OnPurposeError('cancel', reason);
}

function later(
  purpose: Purpose,
  message: string,
  options: { delay?: string; cause?: unknown },
): OnPurposeError {
  return new OnPurposeError(purpose, message, {
    ...(options.delay === undefined ? {} : { delay: parseDuration(options.delay, '/delay') }),
    ...(options.cause === undefined ? {} : { cause: options.cause }),
  });
}
