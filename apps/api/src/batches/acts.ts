import { type BatchAction, replayJobId, type Settings } from '@jetbeat/core';
import {
  type BatchOutcome,
  type BatchStep,
  type Database,
  fittingOf,
  type JobRecord,
  jobsOf,
  type NewJob,
} from '@jetbeat/postgres';
import { askerOf } from '../access/caller.ts';
import { checkJobScope } from '../access/check-scope.ts';
import type { DeadPorts } from '../dead-letters/dead-ports.ts';
import { withInput } from '../dead-letters/replay-dead.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { type CancelPorts, cancelJob } from '../jobs/cancel-job.ts';
import { type MovePorts, moveJob } from '../jobs/move-job.ts';
import { retryOf } from '../jobs/retry-job.ts';
import { ApiError } from '../problems/problem.ts';
import { actOnEach } from './act-on-each.ts';

/** What acting on the jobs of a batch takes. */
export interface BatchActsParams {
  readonly db: Database;
  readonly cancel: CancelPorts;
  readonly move: MovePorts;
  readonly dead: DeadPorts;
  readonly fleet: () => Promise<Fleet>;
  readonly settings: Settings;
  /** Why new jobs are refused now, if so. */
  readonly refusal: () => string | undefined;
  /** The same for jobs of one queue. */
  readonly queueRefusal: (queue: string) => string | undefined;
  readonly clock: () => number;
}

/**
 * Makes what acts on the jobs of a step. Whatever it does itself may be repeated: a job that is cancelled, or moved, stays so.
 * What it makes and throws away is only said in the outcome, to be written together with how far the batch is.
 */
export function createBatchActs(params: BatchActsParams): (step: BatchStep) => Promise<BatchOutcome> {
  const { db, cancel, move, dead, fleet, settings, refusal, queueRefusal, clock } = params;

  const makeAgain = async ({ batch, ids, tries }: BatchStep): Promise<BatchOutcome> => {
    const full = refusal();
    if (full !== undefined) return { ...NOTHING, left: ids, waitingFor: full };
    const jobs = byId(await jobsOf(db, ids));
    const known = await fleet();
    const made: NewJob[] = [];
    const { kind, id, name } = batch.asked.actor;
    const requestedBy = kind === 'system' ? undefined : askerOf({ kind, id, name });
    const outcome = await actOnEach({
      ids,
      tries,
      async act(jobId) {
        const job = jobs.get(jobId);
        if (!job) return false;
        const queueFull = queueRefusal(job.queue);
        if (queueFull !== undefined) throw new ApiError('queue_full', queueFull);
        const old = job.state === 'dead' ? await withInput({ dead }, { ...job, attempts: [] }) : job;
        const again = retryOf({
          old,
          request: {},
          task: known.tasks.get(old.task),
          configured: settings.of(old.task),
          id: replayJobId(batch.id, old.id, batch.createdAt),
          now: clock(),
          traceparent: undefined,
        });
        // What follows its end may lead into other queues than those of whoever asked for this.
        const asker = batch.queues === null ? {} : { queues: batch.queues };
        checkJobScope(asker, again, { settings, fleet: known, said: undefined });
        made.push(requestedBy === undefined ? again : { ...again, requestedBy });
        return true;
      },
    });
    return { ...outcome, made };
  };

  const discard = async ({ ids, tries }: BatchStep): Promise<BatchOutcome> => {
    const jobs = byId(await jobsOf(db, ids));
    const discarded: string[] = [];
    const outcome = await actOnEach({
      ids,
      tries,
      async act(jobId) {
        const job = jobs.get(jobId);
        if (job?.state !== 'dead') return false;
        const stored = await dead.ofJob(job);
        if (stored) await dead.remove(stored.seq);
        discarded.push(jobId);
        return true;
      },
    });
    return { ...outcome, discarded };
  };

  const reach =
    (act: (id: string, step: BatchStep) => Promise<void>) =>
    (step: BatchStep): Promise<BatchOutcome> =>
      actOnEach({ ...step, act: (id) => act(id, step).then(() => true) });

  const cancelEach = async (step: BatchStep): Promise<BatchOutcome> => {
    const { batch, ids, tries } = step;
    const fitting = await fittingOf(db, { ...batch, queues: batch.queues ?? undefined }, ids);
    const act = async (id: string): Promise<boolean> => {
      if (!fitting.has(id)) return false;
      // What is left to a recorder holds too.
      await cancelJob(cancel, id, batch.asked.reason);
      return true;
    };
    return actOnEach({ ids, tries, act });
  };

  const acts: Readonly<Record<BatchAction, (step: BatchStep) => Promise<BatchOutcome>>> = {
    cancel: cancelEach,
    'run-now': reach((id) => moveJob(move, id, { runAt: clock() })),
    retry: makeAgain,
    replay: makeAgain,
    discard,
  };
  return (step) => acts[step.batch.action](step);
}

const NOTHING = { done: 0, skipped: 0, failures: [] } as const;

function byId(jobs: readonly JobRecord[]): ReadonlyMap<string, JobRecord> {
  return new Map(jobs.map((job) => [job.id, job]));
}
