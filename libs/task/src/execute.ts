import { InvalidInputError, type JobEnvelope, type Policy, summary } from '@jetbeat/core';
import { type ChildCalls, type EnqueueChild, openChildCalls } from './child-calls.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Context, TaskLog } from './context.ts';
import { describeThrown } from './describe-thrown.ts';
import type { Execution, Performed } from './execution.ts';
import { HardTimeLimitError, type Limits, startLimits } from './limits.ts';
import { outcomeOf } from './outcome-of.ts';
import { snapshot } from './snapshot.ts';
import type { Task } from './task.ts';

/** One attempt to be made. */
export interface ExecuteParams {
  readonly task: Task;
  readonly job: JobEnvelope;
  readonly runId: string;
  /** Call, task and defaults, merged. */
  readonly policy: Policy;
  /** Becomes `ctx.log`. */
  readonly log: TaskLog;
  /** Publishes what the handler enqueues. */
  readonly enqueue: EnqueueChild;
  /** Aborts `ctx.signal` from outside. With what `Cancel()` makes as its reason, the job is cancelled. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/**
 * Makes one attempt: check the input, limit the time, perform, name the outcome. Never rejects, and returns at the hard
 * time limit at the latest (one turn of the event loop later).
 */
export async function execute(params: ExecuteParams): Promise<Execution> {
  const { job, policy, log } = params;
  const clock = params.clock ?? systemClock;
  const limits = startLimits({ timeout: policy.timeout, clock, outside: params.signal });
  const children = openChildCalls({ job, runId: params.runId, clock, enqueue: params.enqueue });
  const watch: Watch = { ended: false, left: false };
  const performing = perform(params, limits, children).then((performed) => {
    watch.ended = true;
    if (watch.left) logLate(log, performed);
    return performed;
  });
  try {
    const performed = await Promise.race([performing, limits.passed.then(oneTurn)]);
    if (performed && !limits.isOver()) return outcomeOf(performed, limits.signal);
    const error = describeThrown(new HardTimeLimitError(policy.timeout.hard));
    return { outcome: 'timed-out', error, ...(watch.ended ? {} : { abandoned: true }) };
  } finally {
    watch.left = true;
    children.close();
    limits.stop();
  }
}

interface Watch {
  /** The handler has ended. */
  ended: boolean;
  /** Nobody waits for the handler any more. */
  left: boolean;
}

async function perform(params: ExecuteParams, limits: Limits, children: ChildCalls): Promise<Performed> {
  const { task, job } = params;
  try {
    limits.signal.throwIfAborted();
    const checked = await task.check(job.input ?? null);
    if (checked.issues) {
      const refused = new InvalidInputError(
        summary(`the input of ${job.task}`, checked.issues),
        checked.issues,
      );
      return { thrown: refused, invalid: true };
    }
    limits.signal.throwIfAborted();
    const value = await task.handler(checked.value, contextOf(params, limits, children));
    // What the handler enqueued without waiting for it is stored before the job is said to have succeeded.
    await children.settled();
    return { value: snapshot(value) };
  } catch (thrown) {
    return { thrown };
  }
}

function contextOf({ job, log }: ExecuteParams, limits: Limits, children: ChildCalls): Context {
  const { id, task, queue, priority, parent, schedule } = job;
  return {
    job: {
      id,
      task,
      queue,
      priority,
      meta: job.meta ?? {},
      createdAt: new Date(job.createdAt),
      runAt: new Date(job.runAt),
      ...(parent === undefined ? {} : { parent }),
    },
    attempt: job.attempt,
    signal: limits.signal,
    deadline: new Date(limits.deadline),
    log,
    ...(schedule ? { schedule: { name: schedule.name, nominalTime: new Date(schedule.nominalTime) } } : {}),
    enqueue: children.enqueue,
  };
}

/** A handler that obeys the signal ends within this turn, and then it is not called abandoned. */
function oneTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
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
