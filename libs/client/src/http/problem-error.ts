import type { Problem } from '@jetbeat/core/http';

/**
 * What the API refused, or could not do, as it says it (RFC 9457). `code` tells one from another: `stale`, `schedule_not_found`,
 * `invalid_schedule` and so on. No `JetbeatError`, since a browser is to load this without the rest of Jetbeat.
 */
export class ApiProblemError extends Error {
  override readonly name = 'ApiProblemError';
  readonly code: string;
  readonly status: number;
  /** Places of the request that are wrong. */
  readonly errors: Problem['errors'];
  /** Everything that was answered: of `stale` also `current` and `yours`. */
  readonly problem: Problem;
  /** Milliseconds after which a repeat makes sense, where the API says so. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.errors = problem.errors;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The API did not answer in time, or what answered is not Jetbeat's API. What was asked may have been done all the same: a `put`,
 * a `delete`, and whatever was sent with a `key` may be repeated.
 */
export class ApiUnreachableError extends Error {
  override readonly name = 'ApiUnreachableError';
  readonly code = 'api_unreachable';
}
