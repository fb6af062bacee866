import type { Isolated, Policy } from '@jetbeat/core';
import type {
  EnqueueChild,
  Execution,
  IsolatedRuns,
  Task,
  TaskLog,
  TaskSource,
  TellProgress,
} from '@jetbeat/task';
import type { Held } from '../held.ts';

/** From this loss on a job runs in a child process of its own, whatever its task says: it must not take others down again. */
const ALONE_FROM = 2;
const ALONE: Isolated = { kind: 'process' };

/** Attempts that are not made in the worker's own thread. */
export interface Apart {
  /** Whether this job's next attempt is one of them. */
  has(held: Held, task: Task): boolean;
  /** Makes the attempt of a job for which `has` says so. */
  run(attempt: {
    readonly held: Held;
    readonly task: Task;
    readonly policy: Policy;
    readonly log: () => TaskLog;
    readonly enqueue: EnqueueChild;
    readonly progress: TellProgress;
    readonly onLateEnd: () => void;
  }): Promise<Execution>;
}

function isolatedAs({ isolation }: Task): Isolated | undefined {
  return isolation === undefined || isolation.kind === 'inline' ? undefined : isolation;
}

/** @param params.sources where threads and processes find the tasks; those that are not there can only run inline */
export function createApart(params: {
  readonly runs: IsolatedRuns;
  readonly sources: ReadonlyMap<string, TaskSource>;
}): Apart {
  const { runs, sources } = params;
  const runsInOwnChild = ({ job: { losses } }: Held) => losses !== undefined && losses >= ALONE_FROM;
  return {
    has: (held, task) => isolatedAs(task) !== undefined || (runsInOwnChild(held) && sources.has(task.name)),
    run({ held, task, policy, log, enqueue, progress, onLateEnd }) {
      const { job, runId, interrupt } = held;
      const source = sources.get(task.name);
      // The worker's start has looked at every task.
      if (!source) throw new Error(`nothing is known of where the task ${task.name} comes from`);
      return runs.execute({
        isolation: isolatedAs(task) ?? ALONE,
        alone: runsInOwnChild(held),
        source,
        job,
        runId,
        policy,
        log,
        enqueue,
        progress,
        interrupt,
        onLateEnd,
      });
    },
  };
}
