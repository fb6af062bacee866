import { type Job, ownTrace } from '@jetbeat/core';
import type { JobWithAttempts, ListedJob } from '@jetbeat/postgres';

/** A time as the API writes it: RFC 3339, UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** A job as the API shows it. */
export function jobJson(job: JobWithAttempts): Job {
  const { schedule } = job;
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
    startedAt: timeOrNull(job.startedAt),
    finishedAt: timeOrNull(job.finishedAt),
    expiresAt: null,
    ...(job.result === undefined ? {} : { result: job.result }),
    ...(job.error === undefined ? {} : { error: job.error }),
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
  };
}

function timeOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : timeText(ms);
}

/** A job as a list shows it. */
export function listedJobJson(job: ListedJob): Job {
  return job.cut.length === 0 ? jobJson(job) : { ...jobJson(job), cut: [...job.cut] };
}
