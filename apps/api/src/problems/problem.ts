import { type Issue, JetbeatError } from '@jetbeat/core';
import type { Problem } from '@jetbeat/core/http';

/** Every code that an error of this API can have. */
const PROBLEMS = {
  malformed_request: { status: 400, title: 'The request cannot be read' },
  invalid_request: { status: 400, title: 'The request has wrong or unknown fields' },
  invalid_cursor: { status: 400, title: 'The cursor is not one that this list gave' },
  invalid_input: { status: 422, title: 'The input does not fit the task, or cannot be kept as it is' },
  invalid_schedule: { status: 422, title: 'The schedule cannot be accepted' },
  unauthorized: { status: 401, title: 'An API key is needed' },
  key_expired: { status: 401, title: 'The API key has expired' },
  key_revoked: { status: 401, title: 'The API key was revoked' },
  session_ended: { status: 401, title: 'The session is over' },
  forbidden: { status: 403, title: 'The API key may not do this' },
  queue_not_allowed: { status: 403, title: 'The API key may not use this queue' },
  needs_every_queue: { status: 403, title: 'The API key is for some queues only' },
  payloads_hidden: { status: 403, title: 'The API key may not see inputs and results' },
  key_exceeds_maker: { status: 403, title: 'A key cannot make one that may do more than itself' },
  cross_site: { status: 403, title: 'Another site has sent the request' },
  sign_in_insecure: { status: 403, title: 'Nobody can sign in at this address' },
  not_through_proxy: { status: 403, title: 'The request did not come through a trusted proxy' },
  sign_in_failed: { status: 400, title: 'The sign-in was not begun here, or is over' },
  sign_in_refused: { status: 403, title: 'Whom people sign in with has refused it' },
  not_invited: { status: 403, title: 'Nobody has said what this person may do' },
  oidc_not_configured: { status: 404, title: 'There is nobody to sign in with' },
  provider_wrong: { status: 502, title: 'Whom people sign in with does not answer as it should' },
  provider_unavailable: { status: 503, title: 'Whom people sign in with does not answer' },
  rate_limited: { status: 429, title: 'Too many requests' },
  too_many_failures: { status: 429, title: 'Too many requests without a right key' },
  method_not_allowed: { status: 405, title: 'The address has no such method' },
  route_not_found: { status: 404, title: 'There is no such address' },
  job_not_found: { status: 404, title: 'There is no such job' },
  schedule_not_found: { status: 404, title: 'There is no such schedule' },
  queue_not_found: { status: 404, title: 'There is no such queue' },
  task_not_found: { status: 404, title: 'There is no such task' },
  dead_letter_not_found: { status: 404, title: 'There is no such dead letter' },
  session_not_found: { status: 404, title: 'There is no such session' },
  key_not_found: { status: 404, title: 'There is no such API key' },
  no_session: { status: 409, title: 'A key is signed in nowhere' },
  last_admin_key: { status: 409, title: 'It is the last key that may make keys' },
  replay_not_found: { status: 404, title: 'There is no such replay' },
  batch_not_found: { status: 404, title: 'There is no such batch' },
  worker_not_found: { status: 404, title: 'There is no such worker' },
  batch_ended: { status: 409, title: 'The batch is over' },
  worker_gone: { status: 409, title: 'The worker is not there' },
  worker_refuses: { status: 409, title: 'The worker does not do this' },
  too_many_batches: { status: 409, title: 'Too many batches go on' },
  never_a_job: { status: 409, title: 'The dead letter never was a job' },
  queue_changed: { status: 409, title: 'Somebody else has changed the queue' },
  queue_in_use: { status: 409, title: 'The queue is in use' },
  too_many_queues: { status: 409, title: 'There are too many queues' },
  task_changed: { status: 409, title: 'Somebody else has changed the task' },
  purge_changed: { status: 409, title: 'What was counted is not what is there now' },
  schedule_exists: { status: 409, title: 'The name is taken' },
  already_there: { status: 412, title: 'There is one already' },
  stale: { status: 409, title: 'Somebody else has changed the schedule' },
  too_many_edits: { status: 409, title: 'Nobody plans the schedule that is changed' },
  key_reused: { status: 422, title: 'The idempotency key belongs to another request' },
  key_taken: { status: 409, title: 'Another job has the key' },
  request_in_flight: { status: 409, title: 'A request with this idempotency key is being answered' },
  told_once: { status: 409, title: 'The answer was told once, and is not kept' },
  job_running: { status: 409, title: 'The job has begun' },
  job_ended: { status: 409, title: 'The job is over' },
  input_unknown: { status: 409, title: 'The input of the job is not known' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  payload_too_large: { status: 413, title: 'The request or its message is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be JSON' },
  expectation_failed: { status: 417, title: 'What the request expects is not done here' },
  headers_too_large: { status: 431, title: 'The address or the headers are too long' },
  too_many_streams: { status: 429, title: 'Too many streams are open' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  database_unavailable: { status: 503, title: 'PostgreSQL does not answer' },
  messaging_unavailable: { status: 503, title: 'NATS does not answer' },
  queue_unmade: { status: 503, title: 'NATS has no room for the queue' },
  workers_silent: { status: 503, title: 'A worker did not answer in time' },
  history_behind: { status: 503, title: 'History is not up to date' },
  storage_full: { status: 503, title: 'There is too little room for new jobs' },
  queue_full: { status: 503, title: 'The queue is full' },
  overloaded: { status: 503, title: 'Too much at once' },
  timed_out: { status: 503, title: 'It took too long' },
  stopping: { status: 503, title: 'This process stops' },
} as const satisfies Record<string, { status: number; title: string }>;

/** So many places are told: whoever asks may be wrong in ten thousand at once. */
const MAX_ISSUES = 64;
/** Letters of what is said of one place: a schema may allow very many values. Of the first three the detail is made. */
const MAX_SAID = 512;
const MAX_DETAIL = 2_048;

/** The members that only some problems have. */
export type ProblemMembers = Pick<Problem, 'current' | 'yours'>;

/** What there was too much of; or that a thing is of another queue, which callers are told as if there were none. */
export type CountedAs =
  | 'connections'
  | 'event_loop'
  | 'database_busy'
  | 'jobs_waiting'
  | 'searches'
  | 'streams'
  | 'bodies'
  | 'other_queue';

/** A code of the catalogue. */
export type ProblemCode = keyof typeof PROBLEMS;

/** An error that a caller is told about, with what it may do. */
export class ApiError extends JetbeatError {
  declare readonly code: ProblemCode;
  /** The first of them, if there are very many. */
  readonly issues: readonly Issue[];
  /** Seconds after which a repeat makes sense. */
  readonly retryAfter: number | undefined;
  /** What the body says beyond what every problem does (RFC 9457 §3.2). */
  readonly members: ProblemMembers;
  /** As what the refusal is counted, where its code does not say it all. */
  readonly counted: CountedAs | undefined;

  constructor(
    code: ProblemCode,
    message: string,
    options: {
      issues?: readonly Issue[];
      retryAfter?: number;
      members?: ProblemMembers;
      counted?: CountedAs;
      cause?: unknown;
    } = {},
  ) {
    super(code, cut(message, MAX_DETAIL), options.cause === undefined ? undefined : { cause: options.cause });
    const issues = options.issues?.slice(0, MAX_ISSUES) ?? [];
    this.issues = issues.map(({ suggestion = '', ...issue }) => ({
      ...issue,
      message: cut(issue.message, MAX_SAID),
      // Half of what somebody should write is of no use.
      ...(suggestion === '' || suggestion.length > MAX_DETAIL ? {} : { suggestion }),
    }));
    this.retryAfter = options.retryAfter;
    this.members = options.members ?? {};
    this.counted = options.counted;
  }
}

/** The status of an answer with this problem. */
export function problemStatus(code: ProblemCode): number {
  return PROBLEMS[code].status;
}

/** The body of an error (RFC 9457). */
export function problemBody(error: ApiError, request: { path: string; traceId: string }): Problem {
  const { status, title } = PROBLEMS[error.code];
  return {
    type: `urn:jetbeat:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    instance: request.path,
    code: error.code,
    errors: error.issues.map(({ pointer, code, message, suggestion }) => ({
      pointer,
      code,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    })),
    traceId: request.traceId,
    ...error.members,
  };
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
