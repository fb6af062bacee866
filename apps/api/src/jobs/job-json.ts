import { type JobProgress, ownTrace, PLAN_ORIGIN, type Progress, type StoredError } from '@jetbeat/core';
import type { Job } from '@jetbeat/core/http';
import type { JobRecord, ListedJob, ShownJob } from '@jetbeat/postgres';

/** A time as the API writes it: RFC 3339, UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** What is shown of a cancel, where all of the job was read. */
type Cancel = Partial<Pick<JobRecord, 'cancelRequestedAt' | 'cancelReason'>>;

/**
 * A job as the API shows it.
 * @param retriedBy the jobs that retries have made from it
 */
export function jobJson(job: ShownJob & Cancel, retriedBy: readonly string[] = []): Job {
  const { schedule } = job;
  const timeText = createTimeTexts();
  const timeOrNull = (ms: number | undefined) => (ms === undefined ? null : timeText(ms));
  const requestedBy = askedBy(job);
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
    ...(job.cancelRequestedAt === undefined ? {} : { cancelRequestedAt: timeText(job.cancelRequestedAt) }),
    ...(job.cancelReason === undefined ? {} : { cancelReason: job.cancelReason }),
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
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(job.parent === undefined ? {} : { parent: job.parent }),
    ...(job.retryOf === undefined ? {} : { retryOf: job.retryOf }),
    ...(retriedBy.length === 0 ? {} : { retriedBy: [...retriedBy] }),
    ...(job.unique === undefined ? {} : { uniqueKey: job.unique }),
  };
}

/** Whoever says that a job has expired has not seen how it failed before; its attempts tell. */
function errorOf({ state, error, attempts }: ShownJob): StoredError | undefined {
  if (state !== 'expired' || error !== undefined) return error;
  return attempts.findLast(({ outcome }) => outcome === 'failed' || outcome === 'timed-out')?.error;
}

/** Who called the API, or the schedule by its plan. */
function askedBy({ requestedBy, schedule, retryOf }: ShownJob): Job['requestedBy'] {
  if (requestedBy !== undefined) return { ...requestedBy };
  if (schedule?.origin !== PLAN_ORIGIN || retryOf !== undefined) return undefined;
  return { kind: 'schedule', id: schedule.id, name: schedule.name };
}

function progressOf({ value, note }: JobProgress): Progress {
  return { value, ...(note === undefined ? {} : { note }) };
}

/** The same for one job, most of whose times are told twice: to write them is a tenth of what a list costs. */
function createTimeTexts(): typeof timeText {
  const known = new Map<number, string>();
  return (ms) => {
    const text = known.get(ms) ?? timeText(ms);
    known.set(ms, text);
    return text;
  };
}

/** A job as a list shows it. */
export function listedJobJson(job: ListedJob): Job {
  return job.cut.length === 0 ? jobJson(job) : { ...jobJson(job), cut: [...job.cut] };
}
