import { type Call, DEFAULT_POLICY, type Isolated, type TimeLimits } from '@jetbeat/core';
import type { EnqueueChild } from '../child-calls.ts';
import { JOB } from '../execute.fixture.ts';
import { Interrupt } from '../interrupt.ts';
import { createIsolatedRuns, type IsolatedRun, type IsolatedRuns } from './isolated-runs.ts';

/** The module that boxes load. */
export const TASKS = { module: new URL('./tasks.fixture.ts', import.meta.url).href };

/** One line that a handler logged. */
export interface Line {
  readonly level: string;
  readonly fields: { readonly pid?: number; readonly child?: number; readonly err?: { name: string } };
  readonly message: string;
}

/** Runs fixture tasks, and remembers what they said. */
export function setUpRuns(
  isolation: Isolated,
  options: Partial<Parameters<typeof createIsolatedRuns>[0]> = {},
) {
  const runs: IsolatedRuns = createIsolatedRuns({ max: 2, ...options });
  let number = 0;
  const start = (
    name: string,
    input: unknown = {},
    more: Partial<IsolatedRun> & { limits?: TimeLimits } = {},
  ) => {
    const { limits = { hard: 20_000 }, ...rest } = more;
    const lines: Line[] = [];
    const begun = Promise.withResolvers<Line>();
    const line = (level: string) => (first: object | string, message?: string) => {
      const entry =
        typeof first === 'string'
          ? { level, fields: {}, message: first }
          : { level, fields: first, message: message ?? '' };
      lines.push(entry);
      if (entry.message === 'begun') begun.resolve(entry);
    };
    const enqueued: Call[] = [];
    const enqueue: EnqueueChild = async (call) => {
      if (call.envelope.task === 'refused.task')
        throw Object.assign(new Error('JetStream is full'), {
          name: 'StorageFullError',
          code: 'storage_full',
        });
      enqueued.push(call);
      return { id: call.envelope.id, created: call.unique === undefined };
    };
    const interrupt = new Interrupt();
    const execution = runs.execute({
      isolation,
      source: TASKS,
      job: { ...JOB, task: `fixture.${name}`, input },
      runId: `run-${++number}`,
      policy: { ...DEFAULT_POLICY, timeout: limits },
      log: () => ({ debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }),
      enqueue,
      interrupt,
      ...rest,
    });
    return { execution, interrupt, lines, enqueued, begun: begun.promise };
  };
  return { runs, start };
}
