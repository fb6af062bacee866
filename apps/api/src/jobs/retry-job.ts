import {
  type ConfiguredTask,
  FIRST_POSITION,
  isTerminal,
  type JobEnvelope,
  policyOf,
  totalLimit,
} from '@jetbeat/core';
import type { RetryRequest } from '@jetbeat/core/http';
import type { JobRecord, NewJob, TaskRecord } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';
import type { NewPlace } from './submit-job.ts';

/**
 * Makes the job that runs a finished one once more: at once, with what was said of the old one, and for as long as that had
 * until it expired. It is a job of the same schedule and nominal time.
 * @throws ApiError job_running while the old one is open; input_unknown when history never heard its input and none is given
 */
export function retryOf(
  params: NewPlace & {
    old: JobRecord;
    request: RetryRequest;
    task: TaskRecord | undefined;
    configured: ConfiguredTask;
  },
): NewJob {
  const { old, request, task, configured, id, now, traceparent } = params;
  if (!isTerminal(old.state)) {
    const message = `the job is not over: it is ${old.state}; "run-now" runs what waits`;
    throw new ApiError('job_running', message);
  }
  const isEdited = 'input' in request;
  if (!isEdited && !old.inputKnown) {
    throw new ApiError('input_unknown', 'history was never told the input of this job: give one');
  }
  const { task: name, queue, priority, meta, policy, schedule, parent } = old;
  const envelope: JobEnvelope = {
    v: 1,
    id,
    task: name,
    queue,
    priority,
    input: isEdited ? request.input : old.input,
    createdAt: now,
    runAt: now,
    ...FIRST_POSITION,
    ...(meta === undefined ? {} : { meta }),
    ...(policy === undefined ? {} : { policy }),
    ...(old.expiresAt === undefined ? {} : { expiresAt: now + Math.max(1, old.expiresAt - old.runAt) }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(parent === undefined ? {} : { parent }),
  };
  return {
    envelope,
    traceparent,
    state: 'queued',
    totalLimitMs: totalLimit(policyOf(policy, configured, task?.policy)),
    origin: old.origin,
    retryOf: old.id,
  };
}
