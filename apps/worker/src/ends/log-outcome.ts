import type { Next } from '@jetbeat/core';
import type { Log } from '@jetbeat/runtime';
import type { Execution } from '@jetbeat/task';
import type { Held } from '../held.ts';

/** One line per attempt: what came of it, and what follows. Successes are many, so they show at `debug` only. */
export function logOutcome(log: Log, held: Held, execution: Execution, next: Next): void {
  const { outcome, error, abandoned } = execution;
  const facts = { attempt: held.job.attempt, outcome, ...(abandoned ? { abandoned } : {}) };
  if (next.state === 'retrying') {
    const runAt = new Date(next.runAt).toISOString();
    log.warn({ ...facts, err: error, runAt }, `attempt ${outcome}; it runs again`);
  } else if (next.state === 'dead') {
    log.error({ ...facts, err: error, reason: next.reason.code }, `job dead: ${next.reason.text}`);
  } else if (next.state === 'expired') {
    log.warn({ ...facts, err: error }, `job expired: ${next.reason.text}`);
  } else {
    log.debug(facts, `job ${next.state}`);
  }
}

/** A log whose lines name the job, its run and its trace. */
export function jobLog(log: Log, { job, runId, traceId, trace }: Held): Log {
  const span = trace ? { spanId: trace.place.spanId } : {};
  return log.child({ job: job.id, run: runId, traceId, ...span, task: job.task });
}
