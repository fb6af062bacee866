import {
  expiredReason,
  NO_SETTINGS,
  type Policy,
  type Progress,
  policyOf,
  type Reason,
  type Settings,
} from '@jetbeat/core';
import type { EventPublisher } from '@jetbeat/jetstream';
import { type EnqueueChild, type Execution, execute, type Task, type TaskLog } from '@jetbeat/task';
import type { Settle } from '../ends/settle.ts';
import type { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';
import { processTime } from '../keep-alive/process-time.ts';
import type { Slots } from '../keep-alive/slots.ts';
import type { Measures } from '../measures.ts';
import type { Pace } from '../pulling/pace.ts';
import type { UniqueClaims } from '../unique.ts';
import type { Apart } from './apart.ts';
import type { AttemptTrace } from './attempt-trace.ts';
import type { Lingering } from './lingering.ts';
import type { ProgressTeller } from './progress.ts';

/** What running one job needs of the worker. */
export interface RunParams {
  readonly worker: string;
  readonly held: HeldJobs;
  readonly slots: Slots;
  readonly pace: Pace;
  readonly events: EventPublisher;
  readonly settle: Settle;
  readonly measures: Pick<Measures, 'began' | 'ran' | 'abandoned'>;
  readonly lingering: Pick<Lingering, 'add' | 'end'>;
  readonly now: () => number;
  /** Makes the id of a run that begins now, Unix milliseconds. */
  readonly runId: (now: number) => string;
  readonly logOf: (held: Held) => TaskLog;
  readonly enqueueOf: (held: Held) => EnqueueChild;
  readonly keys: UniqueClaims;
  readonly progress: ProgressTeller;
  /** Runs what does not run in the worker's own thread. */
  readonly apart: Apart;
  /** What the configuration says of tasks. */
  readonly settings?: Settings | undefined;
  /** Where tracing is on: the spans of an attempt that begins now. */
  readonly trace?: ((held: Held, startedAt: number) => AttemptTrace) | undefined;
  /** The handler was interrupted because the worker gives its jobs back. */
  readonly giveBack: (held: Held) => Promise<void>;
  /** A handler that was given up has ended after all. */
  readonly onLateEnd: (held: Held) => void;
  /** Its handler begins in this turn. */
  readonly onBegin: (held: Held) => void;
  /** A slot is free again. */
  readonly onSlot: (held: Held) => void;
}

/**
 * Runs one held job whose slot is free: begin, execute, settle. Resolves with whether this step is settled; otherwise it
 * was given back. Rejects only when settling was cut off by a stop.
 */
export type Run = (held: Held, task: Task) => Promise<boolean>;

/** Composes the run of one job. */
export function createRun(params: RunParams): Run {
  const { worker, held: jobs, slots, pace, events, settle, measures, lingering, now, trace, onSlot } = params;
  const { settings = NO_SETTINGS, apart } = params;
  const lateEndOf = (held: Held) => () => {
    measures.abandoned -= 1;
    held.lingers = false;
    lingering.end(held);
    params.onLateEnd(held);
  };
  /** What holds for a job that says nothing itself; most say nothing. */
  const policies = new WeakMap<Task, Policy>();
  const policyFor = (held: Held, task: Task): Policy => {
    const { policy: said } = held.job;
    const usual = said ? undefined : policies.get(task);
    if (usual) return usual;
    const policy = policyOf(said, settings.of(task.name), task.policy);
    if (!said) policies.set(task, policy);
    return policy;
  };

  /** One attempt: a handler that answers at once has ended when this returns. */
  const perform = (held: Held, task: Task, policy: Policy): Execution | Promise<Execution> => {
    const { job, runId, interrupt } = held;
    const log = () => params.logOf(held);
    // A limit may come while it runs.
    const onLateEnd = lateEndOf(held);
    const enqueue = params.enqueueOf(held);
    const progress = (said: Progress) => params.progress.note(held, said);
    if (apart.has(held, task)) return apart.run({ held, task, policy, log, enqueue, progress, onLateEnd });
    return execute({ task, job, runId, policy, log, enqueue, settings, progress, interrupt, onLateEnd });
  };
  /** The same inside of its span. */
  const within = trace
    ? (held: Held, task: Task, policy: Policy, startedAt: number) => {
        held.trace = trace(held, startedAt);
        return held.trace.run(() => perform(held, task, policy));
      }
    : perform;

  /** It waited too long: nobody wants it any more. */
  const expire = async (held: Held, expiresAt: number): Promise<boolean> => {
    jobs.begin(held);
    jobs.end(held);
    const reason = expiredReason(expiresAt);
    params.logOf(held).warn({ attempt: held.job.attempt }, `job expired: ${reason.text}`);
    await settle.end(held, 'expired', reason);
    return true;
  };

  /** The job may not run now; returns whether it is settled. */
  const standDown = async (held: Held, why: 'wait' | Reason): Promise<boolean> => {
    jobs.end(held);
    onSlot(held);
    if (why === 'wait') await params.keys.holdBack(held);
    else await settle.end(held, 'cancelled', why);
    return why !== 'wait';
  };

  /** Its start is lost: used now it would come too close to the next ones. */
  const isLate = ({ beginBy }: Held): boolean => beginBy !== undefined && now() > beginBy;

  /** History has heard that it begins: so what comes again is its next run. */
  const comeAgain = async (held: Held): Promise<boolean> => {
    jobs.end(held);
    onSlot(held);
    await params.giveBack(held);
    return false;
  };

  const ifLate = (held: Held): Promise<boolean> | undefined => {
    if (!isLate(held)) return undefined;
    return held.startTold ? comeAgain(held) : standDown(held, 'wait');
  };

  /** Asks and tells what has to be known before it begins. Where it may not begin: whether it is settled by that. */
  const ask = async (held: Held): Promise<boolean | undefined> => {
    const why = held.job.unique === undefined ? undefined : await params.keys.claim(held);
    if (why !== undefined) return standDown(held, why);
    if (isLate(held)) return standDown(held, 'wait');
    // Whoever is asked about this job while it runs must find it in history, so its start comes first.
    if (held.suspect) {
      held.startedAt = now();
      await tellStart({ events, worker, held, at: held.startedAt });
    }
    return ifLate(held);
  };

  /** The same; nothing is to be waited for where it is neither unique nor in doubt. */
  const standsBack = (held: Held): Promise<boolean | undefined> | undefined =>
    held.job.unique === undefined && !held.suspect ? ifLate(held) : ask(held);

  return async (held, task) => {
    const { expiresAt } = held.job;
    if (expiresAt !== undefined && now() >= expiresAt) return expire(held, expiresAt);
    held.runId = params.runId(now());
    held.startedAt = undefined;
    jobs.begin(held);
    const back = standsBack(held);
    const over = back && (await back);
    if (over !== undefined) return over;
    const policy = policyFor(held, task);
    const startedAt = now();
    // What history was told stands; its time limits begin with the handler.
    held.startedAt ??= startedAt;
    params.onBegin(held);
    measures.began(held, task, startedAt);
    // Of what runs apart the event loop can be blocked by nothing.
    const slot = slots.take(
      apart.has(held, task) ? Number.POSITIVE_INFINITY : processTime() + policy.timeout.hard,
    );
    let execution: Execution;
    try {
      const performing = within(held, task, policy, startedAt);
      execution = performing instanceof Promise ? await performing : performing;
    } finally {
      // A slot that is kept would keep its deadline too, and hide from the keep-alive thread that the event loop is blocked.
      slots.give(slot);
    }
    if (execution.abandoned) {
      measures.abandoned += 1;
      held.lingers = held.isLimited;
      if (held.lingers) lingering.add(held);
    }
    const finishedAt = now();
    held.trace?.ended(execution, finishedAt);
    pace.ran(finishedAt - startedAt);
    measures.ran(held, finishedAt - startedAt);
    params.progress.end(held);
    jobs.end(held);
    onSlot(held);
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
