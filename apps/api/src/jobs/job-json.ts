import { type Job, type JobProgress, ownTrace, type Progress, type StoredError } from '@jetbeat/core';
import type { JobWithAttempts, ListedJob } from '@jetbeat/postgres';

/** A time as the API writes it: RFC 3339, UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * A job as the API shows it.
 * @param retriedBy the jobs that retries have made from it
 */
export function jobJson(job: JobWithAttempts, retriedBy: readonly string[] = []): Job {
  const { schedule } = job;
  const error = errorOf(job);
  return {
    id: job.id,
    task: job.task,
    queue: job.queue,
    priority: job.priority,
    state: job.state,
    ...(job.reason === undefined ? {} : { reason: { code: job.reason.code, text: job.reason.text } }),
    input: job.input ?? null,
    meta: { ...job.meta },
    attempts: job.attempts.map((attempt) => ({
      number: attempt.number,
      outcome: attempt.outcome ?? null,
      workerId: attempt.worker,
      startedAt: timeText(attempt.startedAt),
      finishedAt: timeOrNull(attempt.finishedAt),
      ...(attempt.error === undefined ? {} : { error: attempt.error }),
    })),
    createdAt: timeText(job.createdAt),
    runAt: timeText(job.runAt),
    ...(job.state === 'retrying' ? { nextRunAt: timeText(job.dueAt) } : {}),
    startedAt: timeOrNull(job.startedAt),
    finishedAt: timeOrNull(job.finishedAt),
    expiresAt: timeOrNull(job.expiresAt),
    ...(job.progress === undefined ? {} : { progress: progressOf(job.progress) }),
    ...(job.result === undefined ? {} : { result: job.result }),
    ...(error === undefined ? {} : { error }),
    traceId: job.traceId ?? ownTrace(job.id).traceId,
    ...(schedule
      ? {
          schedule: {
            name: schedule.name,
            nominalTime: timeText(schedule.nominalTime),
            origin: schedule.origin,
          },
        }
      : {}),
    ...(job.parent === undefined ? {} : { parent: job.parent }),
    ...(job.retryOf === undefined ? {} : { retryOf: job.retryOf }),
    ...(retriedBy.length === 0 ? {} : { retriedBy: [...retriedBy] }),
    ...(job.unique === undefined ? {} : { uniqueKey: job.unique }),
  };
}

/** Whoever says that a job has expired has not seen how it failed before; its attempts tell. */
function errorOf({ state, error, attempts }: JobWithAttempts): StoredError | undefined {
  if (state !== 'expired' || error !== undefined) return error;
  return attempts.findLast(({ outcome }) => outcome === 'failed' || outcome === 'timed-out')?.error;
}

function progressOf({ value, note }: JobProgress): Progress {
  return { value, ...(note === undefined ? {} : { note }) };
}

function timeOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : timeText(ms);
}

/** A job as a list shows it. */
export function listedJobJson(job: ListedJob): Job {
  return job.cut.length === 0 ? jobJson(job) : { ...jobJson(job), cut: [...job.cut] };
}
