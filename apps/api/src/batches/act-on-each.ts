import type { BatchFailure, BatchOutcome } from '@jetbeat/postgres';
import type { ProblemCode } from '../problems/problem.ts';
import { toApiError } from '../problems/to-api-error.ts';

/** So many at once. */
const AT_ONCE = 16;
/** After this nothing more is begun, so that the lease of a step is not outlived, milliseconds. */
const BEGIN_MS = 3_000;
/** So often those of one step are tried of which it cannot be known, before they count as failed. */
const TRIES = 5;

/** The job has gone on: what was asked for has no meaning any more. */
const GONE_ON: ReadonlySet<ProblemCode> = new Set([
  'job_ended',
  'job_running',
  'job_not_found',
  'dead_letter_not_found',
]);
/** It will pass, and concerns all of them: they wait, however long it takes. */
const WAIT: ReadonlySet<ProblemCode> = new Set([
  'messaging_unavailable',
  'database_unavailable',
  'storage_full',
  'queue_full',
  'overloaded',
]);
/** It may pass, and concerns one of them. */
const TRY_AGAIN: ReadonlySet<ProblemCode> = new Set(['history_behind', 'workers_silent']);

/**
 * Does something with each of some jobs, several at a time, and sorts what came of it.
 * @param params.tries how often these have been tried already
 * @param params.act returns false where there was nothing to do
 */
export async function actOnEach(params: {
  readonly ids: readonly string[];
  readonly tries: number;
  readonly act: (id: string) => Promise<boolean>;
}): Promise<BatchOutcome> {
  const { ids, tries, act } = params;
  const until = performance.now() + BEGIN_MS;
  const waiting = [...ids];
  const left: string[] = [];
  const failures: BatchFailure[] = [];
  let done = 0;
  let skipped = 0;
  let waitingFor: string | undefined;
  const one = async (jobId: string): Promise<void> => {
    try {
      if (await act(jobId)) done += 1;
      else skipped += 1;
    } catch (thrown) {
      const error = toApiError(thrown);
      const { code, message } = error;
      if (GONE_ON.has(code)) skipped += 1;
      else if (WAIT.has(code) || (TRY_AGAIN.has(code) && tries < TRIES)) {
        left.push(jobId);
        waitingFor = message;
      } else failures.push({ jobId, code, message: message.slice(0, 500) });
    }
  };
  const lane = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      await one(id);
      // What holds up one holds up all: the rest is not even tried.
      if (performance.now() >= until || (waitingFor !== undefined && done + skipped === 0)) return;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { done, skipped, failures, left: [...left, ...waiting], waitingFor };
}
