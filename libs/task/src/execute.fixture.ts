import { DEFAULT_POLICY, FIRST_POSITION, type JobEnvelope, type Policy } from '@jetbeat/core';
import type { Context } from './context.ts';
import { defineTask } from './define-task.ts';
import { type ExecuteParams, execute } from './execute.ts';
import { manualClock } from './testing.ts';

/** The job that the tests of `execute` run. */
export const JOB: JobEnvelope = {
  v: 1,
  id: '01997f00-0000-7000-8000-000000000001',
  task: 'test.task',
  queue: 'default',
  priority: 'normal',
  input: { to: 'a' },
  createdAt: 1_000,
  runAt: 2_000,
  schedule: { id: 's', name: 'nightly', nominalTime: 1_500, origin: 'plan' },
  ...FIRST_POSITION,
  attempt: 3,
};
/** Limits that a manual clock passes. */
export const LIMITED: Policy = { ...DEFAULT_POLICY, timeout: { soft: 50, hard: 100 } };
/** A handler that never ends. */
export const WAIT = () => new Promise<never>(() => {});

type Run = (input: unknown, ctx: Context) => unknown;

/** What an execution needs, its clock standing still. */
export function setUp(run: Run, more: Partial<ExecuteParams> = {}) {
  const logged: unknown[][] = [];
  const log = (...line: unknown[]) => void logged.push(line);
  const clock = manualClock();
  const params: ExecuteParams = {
    task: defineTask({ name: 'test.task', run }),
    job: JOB,
    runId: 'run-1',
    policy: DEFAULT_POLICY,
    log: () => ({ debug: log, info: log, warn: log, error: log }),
    enqueue: async ({ envelope: { id } }) => ({ id, created: true }),
    clock,
    ...more,
  };
  return { params, clock, logged };
}

/** Executes a handler to its end. */
export const ends = async (run: Run, more?: Partial<ExecuteParams>) => execute(setUp(run, more).params);

/** Starts an execution and waits until its handler runs. */
export async function begun(run: Run, more?: Partial<ExecuteParams>) {
  const started = Promise.withResolvers<Context>();
  const { params, clock, logged } = setUp((input, ctx) => {
    started.resolve(ctx);
    return run(input, ctx);
  }, more);
  const execution = Promise.resolve(execute(params));
  return { execution, ctx: await started.promise, clock, logged };
}
