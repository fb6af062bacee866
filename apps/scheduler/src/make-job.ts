import {
  DEFAULT_QUEUE,
  FIRST_POSITION,
  type JobEnvelope,
  occurrenceJobId,
  type PolicyOverrides,
  resolvePolicy,
  totalLimit,
} from '@jetbeat/core';
import type { DueOccurrence, NewJob, TaskRecord } from '@jetbeat/postgres';

/**
 * Makes the job of one occurrence. Its id follows from the occurrence, so that a repeated pass makes the same one.
 * @param params.task what is known of the task, for what the schedule leaves open
 * @param params.now PostgreSQL's time, Unix milliseconds
 */
export function makeJob(params: {
  readonly due: DueOccurrence;
  readonly task: TaskRecord | undefined;
  readonly now: number;
}): NewJob {
  const { due, task, now } = params;
  const { schedule, nominalTime, origin } = due;
  const { job } = schedule.definition;
  const policy = policyOf(job);
  const envelope: JobEnvelope = {
    v: 1,
    id: occurrenceJobId(schedule.id, nominalTime, origin),
    task: job.task,
    queue: job.queue ?? task?.queue ?? DEFAULT_QUEUE,
    priority: job.priority ?? task?.priority ?? 'normal',
    input: job.input,
    ...(job.meta === undefined ? {} : { meta: job.meta }),
    ...(policy === undefined ? {} : { policy }),
    createdAt: now,
    runAt: nominalTime,
    schedule: { id: schedule.id, name: schedule.name, nominalTime, origin },
    ...FIRST_POSITION,
  };
  return {
    envelope,
    state: 'queued',
    // The limit counts from the run time, and what is caught up begins long after that.
    totalLimitMs: totalLimit(resolvePolicy(policy, task?.policy)) + Math.max(0, now - nominalTime),
    origin,
  };
}

function policyOf(job: PolicyOverrides): PolicyOverrides | undefined {
  const { retry, timeout } = job;
  if (retry === undefined && timeout === undefined) return undefined;
  return { ...(retry === undefined ? {} : { retry }), ...(timeout === undefined ? {} : { timeout }) };
}
