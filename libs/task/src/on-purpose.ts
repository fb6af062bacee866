import {
  InvalidInputError,
  type Issue,
  JetbeatError,
  MAX_DURATION_MS,
  parseDuration,
  summary,
  unknownFields,
} from '@jetbeat/core';

const BRAND = Symbol.for('jetbeat.on-purpose');

/** How a handler may end its attempt on purpose. */
export type Purpose = 'retry' | 'snooze' | 'reject' | 'cancel';

/** Under which name history and the log show it: that of what the handler called. */
const NAMES: Readonly<Record<Purpose, string>> = {
  retry: 'Retry',
  snooze: 'Snooze',
  reject: 'Reject',
  cancel: 'Cancel',
};

/** What `Retry`, `Snooze`, `Reject` and `Cancel` make: throw it to end the attempt that way. */
export class OnPurposeError extends JetbeatError {
  readonly purpose: Purpose;
  /** Milliseconds until the next run, where the handler said so. */
  readonly delay?: number;
  /** The time of the next run, where the handler said so, Unix milliseconds. */
  readonly until?: number;
  /** The failure that it only says the delay of: that is what history shows, and what `retryOn` and `noRetryOn` judge. */
  readonly failure?: Error;

  constructor(
    purpose: Purpose,
    message: string,
    options: { delay?: number; until?: number; code?: string; cause?: unknown; failure?: Error } = {},
  ) {
    super(options.code ?? purpose, message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = NAMES[purpose];
    this.purpose = purpose;
    if (options.delay !== undefined) this.delay = options.delay;
    if (options.until !== undefined) this.until = options.until;
    if (options.failure !== undefined) this.failure = options.failure;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether a thrown value came from one of the four, also from another copy of this package. */
export function isOnPurpose(thrown: unknown): thrown is OnPurposeError {
  return typeof thrown === 'object' && thrown !== null && BRAND in thrown;
}

/** When the job runs again: after a duration such as `"5s"`, or at a time; one that is over means at once. */
type When =
  | { readonly delay?: string; readonly until?: undefined }
  | { readonly until: Date; readonly delay?: undefined };

/** Why, for history and the log. */
interface Why {
  readonly reason?: string;
  readonly cause?: unknown;
}

/**
 * `throw Retry({ delay: '5s' })`: the attempt failed, try again after `delay`, or at `until`, instead of the task's
 * backoff. It counts as a failed attempt, so it ends when the attempts are used up; `retryOn` and `noRetryOn` do not
 * concern it.
 * @throws InvalidInputError for an unknown option, a `delay` that is no duration, an `until` that is no time
 */
export function Retry(options: When & Why = {}): OnPurposeError {
  return later('retry', 'the handler asked for another attempt', options);
}

/**
 * `throw Snooze({ delay: '1h' })`: not now. The job runs again after `delay`, or at `until`, and no attempt is used up.
 * A job may do so until it has run 100,000 times.
 * @throws InvalidInputError when neither or both are said, for an unknown option, a `delay` that is no duration, an
 *   `until` that is no time
 */
export function Snooze(
  options: ({ readonly delay: string } | { readonly until: Date }) & Why,
): OnPurposeError {
  return later('snooze', 'the handler asked to run later', options);
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

const FIELDS = ['delay', 'until', 'reason', 'cause'];

function later(
  purpose: 'retry' | 'snooze',
  usual: string,
  options: { readonly delay?: string | undefined; readonly until?: Date | undefined } & Why,
): OnPurposeError {
  const { delay, until, reason = usual, cause } = options;
  const issues: Issue[] = unknownFields(options, FIELDS);
  const wrong = (field: string, message: string) =>
    issues.push({ pointer: `/${field}`, code: 'invalid_value', message });
  if (delay !== undefined && until !== undefined) wrong('delay', 'delay and until exclude each other');
  if (purpose === 'snooze' && delay === undefined && until === undefined)
    wrong('delay', 'say delay or until');
  if (until !== undefined && !(until instanceof Date && until.getTime() <= Date.now() + MAX_DURATION_MS))
    wrong('until', 'until is a Date, at most ten years ahead');
  if (issues.length > 0)
    throw new InvalidInputError(summary(`the options of this ${purpose}`, issues), issues);
  return new OnPurposeError(purpose, reason, {
    ...(delay === undefined ? {} : { delay: parseDuration(delay, '/delay') }),
    ...(until === undefined ? {} : { until: until.getTime() }),
    ...(cause === undefined ? {} : { cause }),
  });
}
