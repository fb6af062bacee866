import { type JobEnvelope, type Progress, readProgress, type Settings } from '@jetbeat/core';
import { type ChildCalls, type EnqueueChild, openChildCalls } from './child-calls.ts';
import type { Clock } from './clock.ts';
import type { Context, JobView, TaskLog } from './context.ts';
import type { Limits } from './limits.ts';

/** Takes what a handler says of its progress; never fails, and never waits. */
export type TellProgress = (progress: Progress) => void;

/** What the context of one attempt is made from. */
export interface AttemptContextParams {
  readonly job: JobEnvelope;
  readonly runId: string;
  readonly log: () => TaskLog;
  readonly enqueue: EnqueueChild;
  readonly settings: Settings | undefined;
  readonly progress: TellProgress | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** The context of one attempt. Each part is made when the handler first asks for it: most ask for few. */
export class AttemptContext implements Context {
  readonly #params: AttemptContextParams;
  #job: JobView | undefined;
  #log: TaskLog | undefined;
  #children: ChildCalls | undefined;
  #closed = false;

  constructor(params: AttemptContextParams) {
    this.#params = params;
  }

  get job(): JobView {
    this.#job ??= viewOf(this.#params.job);
    return this.#job;
  }

  get attempt(): number {
    return this.#params.job.attempt;
  }

  get signal(): AbortSignal {
    return this.#params.limits.signal;
  }

  get deadline(): Date {
    return new Date(this.#params.limits.deadline);
  }

  get log(): TaskLog {
    this.#log ??= this.#params.log();
    return this.#log;
  }

  get schedule(): Context['schedule'] {
    const { schedule } = this.#params.job;
    return schedule && { name: schedule.name, nominalTime: new Date(schedule.nominalTime) };
  }

  get progress(): Context['progress'] {
    return (value, note) => {
      const progress = readProgress(value, note);
      if (!this.#closed) this.#params.progress?.(progress);
    };
  }

  get enqueue(): Context['enqueue'] {
    if (!this.#children) {
      this.#children = openChildCalls(this.#params);
      if (this.#closed) this.#children.close();
    }
    return this.#children.enqueue;
  }

  /** Resolves when what the handler enqueued without waiting for it is stored; `undefined`: there is nothing. */
  childrenStored(): Promise<void> | undefined {
    return this.#children?.settled();
  }

  /** The attempt is over: it enqueues nothing any more. */
  close(): void {
    this.#closed = true;
    this.#children?.close();
  }
}

function viewOf(job: JobEnvelope): JobView {
  const { id, task, queue, priority, parent } = job;
  return {
    id,
    task,
    queue,
    priority,
    meta: job.meta ?? {},
    createdAt: new Date(job.createdAt),
    runAt: new Date(job.runAt),
    ...(parent === undefined ? {} : { parent }),
  };
}
