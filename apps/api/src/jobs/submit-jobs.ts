import { describeIssues } from '@jetbeat/core';
import type { JobRequest } from '@jetbeat/core/http';
import type { TaskRecord } from '@jetbeat/postgres';
import type { FastifyRequest } from 'fastify';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { toApiError } from '../problems/to-api-error.ts';
import { createTurns } from '../turns.ts';
import { acceptJob } from './accept-job.ts';
import { type SubmittedJob, submitJob } from './submit-job.ts';

/** What became of one of many jobs. */
export type SubmittedEach = SubmittedJob | { readonly error: ApiError };

/** Each key is asked for in JetStream; so many at a time. */
const KEYS_AT_ONCE = 16;
/** How long the inputs of one request may take to be checked, all together; one alone has a limit of its own. Milliseconds. */
const CHECKING_MS = 2_000;
/** Seconds. */
const RETRY_REST = 1;

/**
 * Submits many jobs, each as if it had come by itself: what is wrong with one is no matter of the others. Those with a unique key are
 * taken in their order, as far as they have the same one. Those whose turn comes when checking has taken too long, or nobody hears of them any
 * more, are refused; a repeat with the same `Idempotency-Key` finds those that were made, without a check, and goes on with the others.
 * @param isOver whether the request has its answer, or nobody waits for it
 * @returns in the order of the requests
 */
export async function submitJobs(
  parts: Parts,
  request: FastifyRequest,
  jobs: readonly JobRequest[],
  isOver: () => boolean,
): Promise<SubmittedEach[]> {
  const { tasks } = await parts.fleet();
  const { checkInput, settings } = parts;
  const results: SubmittedEach[] = [];
  let checkedMs = 0;
  const check = (task: TaskRecord, input: unknown) => {
    if (checkedMs > CHECKING_MS) throw new ApiError('overloaded', TOO_MUCH, { retryAfter: RETRY_REST });
    const begun = performance.now();
    const issues = checkInput(task, input, '/input');
    checkedMs += performance.now() - begun;
    if (issues.length > 0) throw new ApiError('invalid_input', describeIssues(issues), { issues });
  };
  const submit = async (job: JobRequest, index: number) => {
    try {
      if (isOver()) throw new ApiError('timed_out', NOT_BEGUN, { retryAfter: RETRY_REST });
      const task = tasks.get(job.task);
      const item = { name: `job ${index}`, request: job };
      const make: Parameters<typeof submitJob>[2] = (place, isThere) => {
        if (task && !isThere) check(task, job.input);
        return acceptJob({ request: job, task, settings, ...place });
      };
      results[index] = await submitJob(parts, request, make, undefined, item);
    } catch (thrown) {
      const error = toApiError(thrown);
      if (error.code === 'internal_error') request.log.error({ err: thrown, index }, 'a job of many failed');
      results[index] = { error: placed(error, `/jobs/${index}`) };
    }
  };
  const others = createTurns();
  // Of a repeat each is looked up first: so many at a time, so that they are not all checked in one turn.
  const keyed = new Map<string | number, number[]>();
  const submitting: Promise<void>[] = [];
  for (const [index, job] of jobs.entries()) {
    const key = keyOf(job) ?? (request.repeatable?.again ? index : undefined);
    if (key === undefined) submitting.push(submit(job, index));
    else keyed.set(key, [...(keyed.get(key) ?? []), index]);
    await others();
  }
  const rest = keyed.values();
  const takeKeys = async () => {
    for (const indexes of rest)
      for (const index of indexes) {
        const job = jobs[index];
        if (job) await submit(job, index);
        await others();
      }
  };
  await Promise.all([...submitting, ...Array.from({ length: KEYS_AT_ONCE }, takeKeys)]);
  return results;
}

const TOO_MUCH =
  'the inputs of this request take too long to be checked: send fewer jobs at once, or repeat it with the same Idempotency-Key, which goes on with the rest';
const NOT_BEGUN = 'not begun: its request was answered, or its connection gone, before its turn';

/** Of jobs with the same text another one may be the one that is made. */
function keyOf({ task, uniqueKey, throttle, debounce, keepLast }: JobRequest): string | undefined {
  const asked = uniqueKey ?? throttle ?? debounce ?? keepLast;
  return asked === undefined ? undefined : JSON.stringify([task, asked]);
}

/** The same error, with its places where the job stands in the body. */
function placed(error: ApiError, pointer: string): ApiError {
  const issues = error.issues.map((issue) => ({ ...issue, pointer: pointer + issue.pointer }));
  const { code, message, retryAfter, cause } = error;
  return new ApiError(code, message, {
    issues,
    cause,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}
