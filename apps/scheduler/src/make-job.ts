import {
  expiresOf,
  FIRST_POSITION,
  type JobEnvelope,
  occurrenceJobId,
  PLAN_ORIGIN,
  type PolicyOverrides,
  placeOf,
  policyOf,
  refOf,
  type Settings,
  totalLimit,
} from '@jetbeat/core';
import type { DueOccurrence, NewJob, TaskRecord } from '@jetbeat/postgres';
import { UnreadableScheduleError } from './recurrences.ts';

/**
 * Makes the job of one occurrence. Its id follows from the occurrence, so that a repeated pass makes the same one.
 * @param params.settings what the configuration says, for what the schedule leaves open
 * @param params.task what is known of the task, for what is still open
 * @param params.now PostgreSQL's time, Unix milliseconds
 * @throws UnreadableScheduleError where somebody has written nonsense in plain SQL
 */
export function makeJob(params: {
  readonly due: DueOccurrence;
  readonly settings: Settings;
  readonly task: TaskRecord | undefined;
  readonly now: number;
}): NewJob {
  const { due, settings, task, now } = params;
  const { schedule, nominalTime, origin, dispatchAt } = due;
  const { job } = schedule.definition;
  const { value: input } = due.input ?? { value: job.input };
  const configured = settings.of(job.task);
  const policy = statedPolicy(job);
  const expires = job.expires ?? expiresOf(configured, task?.policy);
  // What is asked for by hand may be of a time that is long over.
  const wanted = origin === PLAN_ORIGIN ? nominalTime : now;
  const envelope: JobEnvelope = {
    v: 1,
    id: occurrenceJobId(schedule.id, nominalTime, origin),
    task: job.task,
    ...placeOf(job, configured, task),
    input: input ?? null,
    ...(job.meta === undefined ? {} : { meta: job.meta }),
    ...(policy === undefined ? {} : { policy }),
    createdAt: now,
    runAt: dispatchAt,
    ...(expires === undefined ? {} : { expiresAt: wanted + expires }),
    schedule: { id: schedule.id, name: schedule.name, nominalTime, origin },
    ...(job.unique === undefined ? {} : { unique: refOf(job.unique) }),
    ...FIRST_POSITION,
  };
  const limit = totalLimit(policyOf(policy, configured, task?.policy));
  if (!Number.isFinite(limit) || (expires !== undefined && !Number.isFinite(expires)))
    throw new UnreadableScheduleError(
      '/job: its limits of time cannot be read, they are numbers of milliseconds',
    );
  return {
    envelope,
    state: 'queued',
    // The limit counts from the run time, and what is caught up or has waited begins long after that.
    totalLimitMs: limit + Math.max(0, now - dispatchAt),
    origin,
    requestedBy: due.requestedBy,
    unique: job.unique,
  };
}

function statedPolicy(job: PolicyOverrides): PolicyOverrides | undefined {
  const { retry, timeout, onSuccess, onFailure, concurrency } = job;
  const stated = {
    ...(retry === undefined ? {} : { retry }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(onSuccess === undefined ? {} : { onSuccess }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  return Object.keys(stated).length === 0 ? undefined : stated;
}
