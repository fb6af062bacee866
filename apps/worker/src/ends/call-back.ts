import {
  type Call,
  type CallbackKind,
  callbackKind,
  callbacksOf,
  type EndedJob,
  InvalidInputError,
  type JobState,
  makeCallback,
  type Settings,
} from '@jetbeat/core';
import { PublishRefusedError } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { EnqueueChild, Task } from '@jetbeat/task';
import type { Held } from '../held.ts';
import { untilDone } from './until-done.ts';

/** How a held job has ended. */
type HeldEnd = Pick<EndedJob, 'state' | 'reason' | 'result' | 'error' | 'finishedAt'>;

/** Makes the jobs that follow the ends of others. */
export interface CallBack {
  /** Whether anything follows when this job ends so. */
  has(held: Held, state: JobState): boolean;
  /** Makes what follows. Rejects only when it was cut off by a stop. */
  make(held: Held, end: HeldEnd): Promise<void>;
}

/** What making callbacks needs of the worker. */
export interface CallBackParams {
  readonly settings: Settings;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly enqueueOf: (held: Held) => EnqueueChild;
  readonly now: () => number;
  readonly stopped: AbortSignal;
  readonly onRetry: (error: unknown, what: string) => void;
  readonly log: Log;
}

/**
 * Called after the end is stored and before the message is acknowledged. Whoever is cut off in between is made up for by the
 * recorder, which makes the same jobs under the same ids.
 */
export function createCallBack(params: CallBackParams): CallBack {
  const { settings, tasks, enqueueOf, now, stopped, onRetry, log } = params;

  const publish = async (held: Held, call: Call) => {
    const enqueue = enqueueOf(held);
    const act = () => enqueue(call).catch((error: unknown) => giveUp(held, error));
    await untilDone({ act, signal: stopped, onRetry: (error) => onRetry(error, 'publish the callback') });
  };
  const giveUp = (held: Held, error: unknown) => {
    const isHopeless =
      error instanceof InvalidInputError ||
      (error instanceof PublishRefusedError && error.code === 'payload_too_large');
    if (!isHopeless) throw error;
    log.error({ job: held.job.id, task: held.job.task, err: error }, 'a callback of this job cannot be made');
  };
  const makeOne = async (held: Held, end: HeldEnd, kind: CallbackKind, index: number) => {
    const { id, task, queue, attempt, createdAt, meta } = held.job;
    const callback = callbacksFor(kind, held.job)[index];
    if (!callback) return;
    const ended = { id, task, queue, attempt, createdAt, meta, ...end };
    const known = (name: string) => tasks.get(name);
    try {
      await publish(held, await makeCallback({ callback, kind, index, ended, settings, known, now: now() }));
    } catch (error) {
      giveUp(held, error);
    }
  };
  const callbacksFor = (kind: CallbackKind, { task, queue, policy }: Held['job']) =>
    callbacksOf(kind, policy, settings.of(task), tasks.get(task)?.policy, settings.queue(queue));

  return {
    has(held, state) {
      const kind = callbackKind(state);
      return kind !== undefined && callbacksFor(kind, held.job).length > 0;
    },
    async make(held, end) {
      const kind = callbackKind(end.state);
      if (kind === undefined) return;
      await Promise.all(callbacksFor(kind, held.job).map((_, index) => makeOne(held, end, kind, index)));
    },
  };
}
