import { type ApiError, type ProblemCode, problemStatus } from './problem.ts';

/** Who may do what, what is not there yet, what came too slowly or too early, and too many requests. */
const STATUSES: ReadonlySet<number> = new Set([401, 403, 404, 408, 425, 429]);

/** Conflicts that end by themselves, or by what somebody else does: with a worker, a job, a count or a key. */
const CODES: ReadonlySet<ProblemCode> = new Set([
  ...(['too_many_batches', 'worker_gone', 'worker_refuses', 'job_running'] as const),
  ...(['purge_changed', 'key_taken', 'input_unknown'] as const),
]);

/** Whether an answer of this status is one of the moment: nothing was changed, or nobody knows, and a repeat may be answered otherwise. */
export function isPassingStatus(status: number): boolean {
  return status >= 500 || STATUSES.has(status);
}

/** The same of an error. Whoever is told to come again is not told the same for a day. */
export function isPassing({ code, retryAfter }: Pick<ApiError, 'code' | 'retryAfter'>): boolean {
  return retryAfter !== undefined || CODES.has(code) || isPassingStatus(problemStatus(code));
}
