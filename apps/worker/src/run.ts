import { factsOf, type Policy, resolvePolicy, uuidV7 } from '@jetbeat/core';
import type { EventPublisher } from '@jetbeat/jetstream';
import { type EnqueueChild, type Execution, execute, type Task, type TaskLog } from '@jetbeat/task';
import type { Held, HeldJobs } from './held.ts';
import type { Pace } from './pace.ts';
import type { Settle } from './settle.ts';
import type { Slots } from './slots.ts';

/** What running one job needs of the worker. */
export interface RunParams {
  readonly worker: string;
  readonly held: HeldJobs;
  readonly slots: Slots;
  readonly pace: Pace;
  readonly events: EventPublisher;
  readonly settle: Settle;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly logOf: (held: Held) => TaskLog;
  readonly enqueueOf: (held: Held) => EnqueueChild;
  /** The handler was interrupted because the worker gives its jobs back. */
  readonly giveBack: (held: Held) => Promise<void>;
  /** A slot is free again. */
  readonly onSlot: () => void;
}

/**
 * Runs one held job whose slot is free: begin, execute, settle. Resolves with whether this step is settled; otherwise it
 * was given back. Rejects only when settling was cut off by a stop.
 */
export type Run = (held: Held, task: Task) => Promise<boolean>;

/** Composes the run of one job. */
export function createRun(params: RunParams): Run {
  const { worker, held: jobs, slots, pace, events, settle, now, randomBytes, onSlot } = params;

  const perform = async (held: Held, task: Task, policy: Policy): Promise<Execution> => {
    const startedAt = now();
    held.startedAt = startedAt;
    const slot = slots.take(startedAt + policy.timeout.hard);
    try {
      return await execute({
        task,
        job: held.job,
        runId: held.runId ?? '',
        policy,
        log: params.logOf(held),
        enqueue: params.enqueueOf(held),
        signal: held.abort.signal,
      });
    } finally {
      slots.give(slot);
      pace.ran(now() - startedAt);
      jobs.end(held);
      onSlot();
    }
  };

  return async (held, task) => {
    held.runId = uuidV7(now(), randomBytes(10));
    jobs.begin(held);
    // Whoever is asked about this job while it runs must find it in history, so its start comes first.
    if (held.suspect) await tellStart({ events, worker, held, at: now() });
    const policy = resolvePolicy(held.job.policy, task.policy);
    const execution = await perform(held, task, policy);
    if (execution.interrupted) {
      await params.giveBack(held);
      return false;
    }
    await settle.attempt(held, execution, policy);
    return true;
  };
}

/** Tells history that this run has begun; resolves when that is stored. */
export async function tellStart(params: {
  events: EventPublisher;
  worker: string;
  held: Held;
  at: number;
}): Promise<void> {
  const { events, worker, held, at } = params;
  held.startTold = true;
  await events.publish({
    kind: 'started',
    ...factsOf(held.job, held.traceId, held.deliveries[0]?.seq),
    runId: held.runId ?? '',
    worker,
    at,
  });
}
