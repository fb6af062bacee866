import {
  DEFAULT_QUEUE,
  describeIssues,
  FIRST_POSITION,
  InvalidInputError,
  type Issue,
  type JobEnvelope,
  type JobRequest,
  MAX_DURATION_MS,
  parseDuration,
  readPolicy,
  resolvePolicy,
  totalLimit,
} from '@jetbeat/core';
import type { NewJob, TaskRecord } from '@jetbeat/postgres';
import { readTime } from './read-time.ts';

/**
 * Makes the job of one request: what the request leaves out comes from the task, as far as it is known.
 * @throws InvalidInputError naming every wrong place
 */
export function acceptJob(params: {
  request: JobRequest;
  task: TaskRecord | undefined;
  id: string;
  /** Unix milliseconds. */
  now: number;
  /** Absent: the job is a trace of its own. */
  traceparent: string | undefined;
}): NewJob {
  const { request, task, id, now, traceparent } = params;
  const { policy, issues } = readPolicy(request);
  const runAt = readRunAt(request, now, issues);
  const found = typeof runAt === 'number' ? issues : runAt;
  if (found.length > 0 || typeof runAt !== 'number')
    throw new InvalidInputError(describeIssues(found), found);
  const envelope: JobEnvelope = {
    v: 1,
    id,
    task: request.task,
    queue: request.queue ?? task?.queue ?? DEFAULT_QUEUE,
    priority: request.priority ?? task?.priority ?? 'normal',
    input: request.input,
    ...(request.meta === undefined ? {} : { meta: request.meta }),
    ...(request.retry === undefined && request.timeout === undefined ? {} : { policy }),
    createdAt: now,
    runAt,
    ...FIRST_POSITION,
  };
  return {
    envelope,
    traceparent,
    state: runAt > now ? 'scheduled' : 'queued',
    totalLimitMs: totalLimit(resolvePolicy(policy, task?.policy)),
    origin: 'api',
  };
}

/** When the job is to run: a time that is over means at once. */
function readRunAt(request: JobRequest, now: number, others: readonly Issue[]): number | Issue[] {
  const { delay, runAt } = request;
  if (delay !== undefined && runAt !== undefined) {
    return [
      ...others,
      { pointer: '/delay', code: 'invalid_value', message: 'delay and runAt exclude each other: keep one' },
    ];
  }
  try {
    const due =
      delay !== undefined
        ? now + parseDuration(delay, '/delay')
        : runAt !== undefined
          ? readTime(runAt, '/runAt')
          : now;
    if (due - now <= MAX_DURATION_MS) return Math.max(now, due);
    return [
      ...others,
      { pointer: '/runAt', code: 'invalid_value', message: 'a job may wait for ten years at most' },
    ];
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return [...others, ...error.issues];
  }
}
