import { type Issue, JetbeatError, type Problem } from '@jetbeat/core';

/** Every code that an error of this API can have. */
const PROBLEMS = {
  malformed_request: { status: 400, title: 'The request cannot be read' },
  invalid_request: { status: 400, title: 'The request has wrong or unknown fields' },
  invalid_cursor: { status: 400, title: 'The cursor is not one that this list gave' },
  invalid_input: { status: 422, title: 'The input does not fit the task, or cannot be kept as it is' },
  invalid_schedule: { status: 422, title: 'The schedule cannot be accepted' },
  unauthorized: { status: 401, title: 'An API key is needed' },
  forbidden: { status: 403, title: 'The API key may not do this' },
  route_not_found: { status: 404, title: 'There is no such address' },
  job_not_found: { status: 404, title: 'There is no such job' },
  schedule_not_found: { status: 404, title: 'There is no such schedule' },
  queue_not_found: { status: 404, title: 'There is no such queue' },
  task_not_found: { status: 404, title: 'There is no such task' },
  dead_letter_not_found: { status: 404, title: 'There is no such dead letter' },
  replay_not_found: { status: 404, title: 'There is no such replay' },
  never_a_job: { status: 409, title: 'The dead letter never was a job' },
  queue_changed: { status: 409, title: 'Somebody else has changed the queue' },
  task_changed: { status: 409, title: 'Somebody else has changed the task' },
  purge_changed: { status: 409, title: 'What was counted is not what is there now' },
  schedule_exists: { status: 409, title: 'The name is taken' },
  stale: { status: 409, title: 'Somebody else has changed the schedule' },
  key_reused: { status: 422, title: 'The idempotency key belongs to another request' },
  job_running: { status: 409, title: 'The job has begun' },
  job_ended: { status: 409, title: 'The job is over' },
  input_unknown: { status: 409, title: 'The input of the job is not known' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  payload_too_large: { status: 413, title: 'The request or its message is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be JSON' },
  headers_too_large: { status: 431, title: 'The address or the headers are too long' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  database_unavailable: { status: 503, title: 'PostgreSQL does not answer' },
  messaging_unavailable: { status: 503, title: 'NATS does not answer' },
  workers_silent: { status: 503, title: 'A worker did not answer in time' },
  history_behind: { status: 503, title: 'History is not up to date' },
  storage_full: { status: 503, title: 'There is too little room for new jobs' },
  queue_full: { status: 503, title: 'The queue is full' },
  overloaded: { status: 503, title: 'Too much at once' },
} as const satisfies Record<string, { status: number; title: string }>;

/** The members that only some problems have. */
export type ProblemMembers = Pick<Problem, 'current' | 'yours'>;

/** A code of the catalogue. */
export type ProblemCode = keyof typeof PROBLEMS;

/** An error that a caller is told about, with what it may do. */
export class ApiError extends JetbeatError {
  declare readonly code: ProblemCode;
  readonly issues: readonly Issue[];
  /** Seconds after which a repeat makes sense. */
  readonly retryAfter: number | undefined;
  /** What the body says beyond what every problem does (RFC 9457 §3.2). */
  readonly members: ProblemMembers;

  constructor(
    code: ProblemCode,
    message: string,
    options: {
      issues?: readonly Issue[];
      retryAfter?: number;
      members?: ProblemMembers;
      cause?: unknown;
    } = {},
  ) {
    super(code, message, options.cause === undefined ? undefined : { cause: options.cause });
    this.issues = options.issues ?? [];
    this.retryAfter = options.retryAfter;
    this.members = options.members ?? {};
  }
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
