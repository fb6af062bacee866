import type { Next, SettledEvent } from '@jetbeat/core';
import type { Execution } from '@jetbeat/task';
import type { Held } from '../held.ts';

/** What history is told of an attempt. Written out, since there is one for each: `...held.facts()` costs five times as much. */
export function settledEvent(params: {
  held: Held;
  worker: string;
  execution: Execution;
  /** Unix milliseconds. */
  finishedAt: number;
  next: Next;
}): SettledEvent {
  const { held, worker, execution, finishedAt, next } = params;
  const { job } = held;
  return {
    kind: 'settled',
    job: job.id,
    task: job.task,
    queue: job.queue,
    priority: job.priority,
    createdAt: job.createdAt,
    runAt: job.runAt,
    attempt: job.attempt,
    run: job.run,
    parks: job.parks,
    traceId: held.foreignTraceId,
    seq: held.deliveries[0]?.seq,
    runId: held.runId,
    worker,
    outcome: execution.outcome,
    startedAt: held.startedAt ?? finishedAt,
    finishedAt,
    next,
    error: execution.error,
    result: execution.result,
    span: held.trace?.keptSpan,
  };
}
