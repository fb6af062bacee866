import type { Next } from '@jetbeat/core';
import type { Log } from '@jetbeat/runtime';
import type { Execution } from '@jetbeat/task';
import type { Held } from './held.ts';

/** One line per attempt: what came of it, and what follows. Successes are many, so they show at `debug` only. */
export function logOutcome(log: Log, held: Held, execution: Execution, next: Next): void {
  const { outcome, error, abandoned } = execution;
  const facts = { attempt: held.job.attempt, outcome, ...(abandoned ? { abandoned } : {}) };
  switch (next.state) {
    case 'retrying': {
      const runAt = new Date(next.runAt).toISOString();
      return log.warn({ ...facts, err: error, runAt }, `attempt ${outcome}; it runs again`);
    }
    case 'dead':
      return log.error({ ...facts, err: error, reason: next.reason.code }, `job dead: ${next.reason.text}`);
    default:
      return log.debug(facts, `job ${next.state}`);
  }
}
