import {
  InvalidInputError,
  type Issue,
  type JobEnvelope,
  type Policy,
  type Settings,
  summary,
} from '@jetbeat/core';
import { AttemptContext, type TellProgress } from './attempt-context.ts';
import type { EnqueueChild } from './child-calls.ts';
import { type Clock, systemClock } from './clock.ts';
import type { TaskLog } from './context.ts';
import { describeThrown } from './describe-thrown.ts';
import type { Execution, Performed } from './execution.ts';
import type { Interrupt } from './interrupt.ts';
import { kindsOf } from './kinds-of.ts';
import { HandlerAbandonedError, HardTimeLimitError, Limits } from './limits.ts';
import { outcomeOf } from './outcome-of.ts';
import { snapshot } from './snapshot.ts';
import type { Task } from './task.ts';
import { whenDone } from './when-done.ts';

/** One attempt to be made. */
export interface ExecuteParams {
  readonly task: Task;
  readonly job: JobEnvelope;
  readonly runId: string;
  /** Call, task and defaults, merged. */
  readonly policy: Policy;
  /** Makes `ctx.log`; asked when something is logged. */
  readonly log: () => TaskLog;
  /** Publishes what the handler enqueues. */
  readonly enqueue: EnqueueChild;
  /** What the configuration says of the tasks that the handler enqueues. */
  readonly settings?: Settings | undefined;
  /** Takes what the handler says of its progress. */
  readonly progress?: TellProgress | undefined;
  /** Aborts `ctx.signal` from outside. */
  readonly interrupt?: Interrupt;
  /** The handler of an attempt that was `abandoned` has ended after all. */
  readonly onLateEnd?: () => void;
  readonly clock?: Clock;
}

/**
 * Makes one attempt: check the input, limit the time, perform, name the outcome. Answers at once where check and handler
 * do. Never fails, and ends at the hard time limit at the latest (one turn of the event loop later).
 */
export function execute(params: ExecuteParams): Execution | Promise<Execution> {
  const { job, runId, policy, log, enqueue, settings, progress, interrupt, clock = systemClock } = params;
  const limits = new Limits({ timeout: policy.timeout, clock, interrupt });
  const context = new AttemptContext({ job, runId, log, enqueue, settings, progress, limits, clock });
  const performing = perform(params, limits, context);
  if (performing instanceof Promise) return waitFor(performing, params, limits, context);
  context.close();
  return executionOf(performing, limits, policy);
}

function perform(
  { task, job }: ExecuteParams,
  limits: Limits,
  context: AttemptContext,
): Performed | Promise<Performed> {
  try {
    limits.throwIfAborted();
    const performing = whenDone(task.check(job.input ?? null), (checked) =>
      checked.issues ? refused(job, checked.issues) : handle(task, checked.value, limits, context),
    );
    return performing instanceof Promise ? performing.catch(asThrown) : performing;
  } catch (thrown) {
    return { thrown };
  }
}

function handle(
  task: Task,
  input: unknown,
  limits: Limits,
  context: AttemptContext,
): Performed | Promise<Performed> {
  limits.throwIfAborted();
  return whenDone(task.handler(input, context), (value) =>
    // What the handler enqueued without waiting for it is stored before the job is said to have succeeded.
    whenDone(context.childrenStored(), () => ({ value: snapshot(value) })),
  );
}

function refused(job: JobEnvelope, issues: readonly Issue[]): Performed {
  return {
    thrown: new InvalidInputError(summary(`the input of ${job.task}`, issues), issues),
    invalid: true,
  };
}

function asThrown(thrown: unknown): Performed {
  return { thrown };
}

/** Waits for a handler until its hard limit. */
function waitFor(
  performing: Promise<Performed>,
  { policy, log, onLateEnd }: ExecuteParams,
  limits: Limits,
  context: AttemptContext,
): Promise<Execution> {
  const { promise, resolve } = Promise.withResolvers<Execution>();
  let left = false;
  const leave = (execution: Execution) => {
    left = true;
    context.close();
    limits.stop();
    resolve(execution);
  };
  // It never rejects.
  void performing.then((performed) => {
    if (left) {
      onLateEnd?.();
      logLate(log(), performed);
    } else leave(executionOf(performed, limits, policy));
  });
  // A handler that obeys the signal ends within one turn more, and then it is not called abandoned.
  limits.arm(() => setImmediate(() => left || leave(abandoned(policy))));
  return promise;
}

function executionOf(performed: Performed, limits: Limits, policy: Policy): Execution {
  return limits.isOver() ? timedOut(policy) : outcomeOf(performed, limits);
}

function timedOut(policy: Policy): Execution {
  const error = new HardTimeLimitError(policy.timeout.hard);
  return { outcome: 'timed-out', error: describeThrown(error), kinds: kindsOf(error) };
}

function abandoned({ timeout }: Policy): Execution {
  const error = new HandlerAbandonedError(timeout.hard);
  return { outcome: 'timed-out', error: describeThrown(error), kinds: kindsOf(error), abandoned: true };
}

function logLate(log: TaskLog, performed: Performed): void {
  if ('thrown' in performed) {
    log.warn(
      { err: describeThrown(performed.thrown) },
      'an abandoned handler has ended with an error; its outcome stays timed-out',
    );
  } else {
    log.warn({}, 'an abandoned handler has ended; its outcome stays timed-out');
  }
}
