import { JetbeatError } from '@jetbeat/core';
import { OnPurposeError, Reject } from '@jetbeat/task';
import { retryAfterMs } from './retry-after.ts';

/** One status, several, or a class such as `4xx`. */
export type StatusMatch = number | readonly number[] | string;

/** What is judged of an answer. */
export interface Judged {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The answer has another status than expected. */
class UnexpectedStatusError extends JetbeatError {
  constructor(message: string) {
    super(CODE, message);
  }
}

const CODE = 'unexpected_status';
/** Of 3xx and 4xx, what may be another answer next time: timeout, conflict, misdirected, locked, too early, too many. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 421, 423, 425, 429]);
/** Where `Retry-After` speaks of the same request (RFC 9110 15.6.4, RFC 6585 4). */
const WAITS: ReadonlySet<number> = new Set([429, 503]);

/** Whether a status is what was written. */
export function matchesStatus(status: number, match: StatusMatch): boolean {
  return typeof match === 'string' ? match[0] === String(status)[0] : [match].flat().includes(status);
}

/**
 * The error for an answer with a status that was not expected. It is rejected where the same request would get the same
 * answer again (3xx and 4xx), unless the status is a passing one or is named by `retryStatus`. Otherwise it is
 * tried again as far as the job's policy does so, after what `Retry-After` says where 429 and 503 say it.
 * @param now this machine's clock, Unix milliseconds
 */
export function unexpectedStatus(params: {
  readonly label: string;
  readonly answer: Judged;
  readonly expected: StatusMatch;
  readonly retryStatus: StatusMatch | undefined;
  readonly hint: string;
  readonly now: number;
}): Error {
  const { label, answer, expected, retryStatus, hint, now } = params;
  const { status, headers } = answer;
  const wanted = [expected].flat().join(', ');
  const message = `${label} answered ${status}, expected ${wanted}${hint === '' ? '' : `: ${hint}`}`;
  const isFinal = status >= 300 && status < 500 && !PASSING.has(status);
  if (isFinal && !(retryStatus !== undefined && matchesStatus(status, retryStatus)))
    return Reject(message, { code: CODE });
  const delay = WAITS.has(status)
    ? retryAfterMs({ value: headers['retry-after'], date: headers['date'], now })
    : undefined;
  const failure = new UnexpectedStatusError(message);
  // The header says when; whether at all is the policy's to say.
  return delay === undefined ? failure : new OnPurposeError('retry', message, { code: CODE, delay, failure });
}
