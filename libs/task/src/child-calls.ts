import {
  type Call,
  childJobId,
  InvalidInputError,
  JetbeatError,
  type JobEnvelope,
  makeCall,
  type Settings,
} from '@jetbeat/core';
import type { Clock } from './clock.ts';
import type { ChildOptions, Context } from './context.ts';

/** What became of a call: the job, or the one that has its unique key already. */
export interface StoredChild {
  readonly id: string;
  /** False: it was there already. */
  readonly created: boolean;
}

/** Publishes a job of a handler; resolves when JetStream has it. `at` (Unix milliseconds): as a timer. */
export type EnqueueChild = (child: Call) => Promise<StoredChild>;

/** The attempt that calls `ctx.enqueue` has ended, so nobody answers for the new job any more. */
export class AttemptOverError extends JetbeatError {
  constructor(job: string, runId: string) {
    super('attempt_over', `job ${job}: its run ${runId} has ended, so it enqueues nothing any more`);
  }
}

/** The calls that one attempt makes. */
export interface ChildCalls {
  readonly enqueue: Context['enqueue'];
  /** Resolves when what the handler did not wait for is stored; rejects when it is not. */
  settled(): Promise<void>;
  /** From now on every call is refused. */
  close(): void;
}

/** Opens the calls of one attempt of `job`. */
export function openChildCalls(params: {
  readonly job: JobEnvelope;
  readonly runId: string;
  readonly clock: Clock;
  readonly enqueue: EnqueueChild;
  readonly settings?: Settings | undefined;
}): ChildCalls {
  const { job, clock, settings } = params;
  const counts = new Map<string, number>();
  const pending = new Set<Promise<unknown>>();
  let open = true;

  /** Counts before anything is awaited, so that the number follows the order of the calls. */
  function keyOf(name: string, key: unknown): string {
    if (key !== undefined) {
      if (typeof key === 'string' && key.length > 0 && key.length <= 256) return `key:${key}`;
      const message = 'key is a text of 1 to 256 characters';
      throw new InvalidInputError(message, [{ pointer: '/key', code: 'invalid_value', message }]);
    }
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return `${name}:${count}`;
  }

  async function call(task: Parameters<Context['enqueue']>[0], input: unknown, given: ChildOptions) {
    if (!open) throw new AttemptOverError(job.id, params.runId);
    const { key, ...options } = given;
    const name = typeof task === 'string' ? task : task.name;
    const id = childJobId(job.id, keyOf(name, key));
    const child = await makeCall({ task, input, options, id, now: clock.now(), parent: job.id, settings });
    // The check may have taken until after the end of the attempt.
    if (!open) throw new AttemptOverError(job.id, params.runId);
    const { id: stored, created } = await params.enqueue(child);
    return { id: stored, task: name, created };
  }

  return {
    enqueue(task, input, options = {}) {
      const called = call(task, input, options);
      pending.add(called);
      // Seen here, so that a call that nobody waits for does not end the process; whoever waits gets the error too.
      called.then(
        () => pending.delete(called),
        () => pending.delete(called),
      );
      return called;
    },
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
    },
    close() {
      open = false;
    },
  };
}
