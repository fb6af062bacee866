import { isTerminal } from '@jetbeat/core';
import type { LiveJobEvent } from '@jetbeat/core/http';
import type { ListedJob } from '@jetbeat/postgres';
import { listedJobJson } from '../jobs/job-json.ts';

/** The event of the end of a job, made of what history has; undefined of a job that is not over. */
export function endEvent(row: ListedJob): LiveJobEvent | undefined {
  if (!isTerminal(row.state)) return undefined;
  const shown = listedJobJson(row);
  const { id, task, queue, priority, state, createdAt, runAt, startedAt, finishedAt, traceId } = shown;
  const { reason, result, error, progress, cut = [] } = shown;
  const last = row.attempts.at(-1);
  const ofEvent = cut.filter((field) => field === 'result' || field === 'reason' || field === 'error');
  return {
    type: `job.${row.state}`,
    at: finishedAt ?? createdAt,
    job: {
      id,
      task,
      queue,
      priority,
      state,
      createdAt,
      runAt,
      ...(startedAt === null ? {} : { startedAt }),
      ...(finishedAt === null ? {} : { finishedAt }),
      ...(reason === undefined ? {} : { reason }),
      ...(progress === undefined ? {} : { progress }),
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error: withoutStack(error) }),
      traceId: traceId ?? '',
      ...(ofEvent.length === 0 ? {} : { cut: ofEvent }),
    },
    attempt: {
      number: row.attempt,
      ...(last === undefined ? {} : { workerId: last.worker }),
      ...(last?.outcome === undefined ? {} : { outcome: last.outcome }),
    },
    order: row.order,
  };
}

function withoutStack({ stack: _, ...error }: NonNullable<ReturnType<typeof listedJobJson>['error']>) {
  return error;
}
