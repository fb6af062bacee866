import { type Policy, resolvePolicy } from '@jetbeat/core';
import type { EventPublisher } from '@jetbeat/jetstream';
import { type EnqueueChild, type Execution, execute, type Task, type TaskLog } from '@jetbeat/task';
import type { AttemptTrace } from './attempt-trace.ts';
import type { Held, HeldJobs } from './held.ts';
import type { Measures } from './measures.ts';
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
  readonly measures: Pick<Measures, 'began' | 'ran'>;
  readonly now: () => number;
  /** Makes the id of a run that begins now, Unix milliseconds. */
  readonly runId: (now: number) => string;
  readonly logOf: (held: Held) => TaskLog;
  readonly enqueueOf: (held: Held) => EnqueueChild;
  /** Where tracing is on: the spans of an attempt that begins now. */
  readonly trace?: ((held: Held, startedAt: number) => AttemptTrace) | undefined;
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
  const { worker, held: jobs, slots, pace, events, settle, measures, now, trace, onSlot } = params;
  /** What holds for a job that says nothing itself; most say nothing. */
  const policies = new WeakMap<Task, Policy>();
  const policyOf = (held: Held, task: Task): Policy => {
    if (held.job.policy) return resolvePolicy(held.job.policy, task.policy);
    let policy = policies.get(task);
    if (!policy) {
      policy = resolvePolicy(task.policy);
      policies.set(task, policy);
    }
    return policy;
  };

  /** One attempt: a handler that answers at once has ended when this returns. */
  const perform = (held: Held, task: Task, policy: Policy): Execution | Promise<Execution> => {
    const { job, runId, interrupt } = held;
    const log = () => params.logOf(held);
    return execute({ task, job, runId, policy, log, enqueue: params.enqueueOf(held), interrupt });
  };
  /** The same inside of its span. */
  const within = trace
    ? (held: Held, task: Task, policy: Policy, startedAt: number) => {
        held.trace = trace(held, startedAt);
        return held.trace.run(() => perform(held, task, policy));
      }
    : perform;

  return async (held, task) => {
    held.runId = params.runId(now());
    jobs.begin(held);
    // Whoever is asked about this job while it runs must find it in history, so its start comes first.
    if (held.suspect) await tellStart({ events, worker, held, at: now() });
    const policy = policyOf(held, task);
    const startedAt = now();
    held.startedAt = startedAt;
    measures.began(held, task, startedAt);
    const slot = slots.take(startedAt + policy.timeout.hard);
    let execution: Execution;
    try {
      const performing = within(held, task, policy, startedAt);
      execution = performing instanceof Promise ? await performing : performing;
    } finally {
      // A slot that is kept would keep its deadline too, and hide from the keep-alive thread that the event loop is blocked.
      slots.give(slot);
    }
    const finishedAt = now();
    held.trace?.ended(execution, finishedAt);
    pace.ran(finishedAt - startedAt);
    measures.ran(held, finishedAt - startedAt);
    jobs.end(held);
    onSlot();
    if (execution.interrupted) {
      await params.giveBack(held);
      held.trace?.settled();
      return false;
    }
    await settle.attempt(held, execution, policy);
    held.trace?.settled();
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
    ...held.facts(),
    runId: held.runId,
    worker,
    at,
  });
}
