export type { Isolated, Isolation, IsolationInput, IsolationKind } from '@jetbeat/core';
export type { TellProgress } from './attempt-context.ts';
export { AttemptOverError, type EnqueueChild, type StoredChild } from './child-calls.ts';
export { type Clock, systemClock } from './clock.ts';
export type { ChildOptions, Context, JobView, TaskLog } from './context.ts';
export { type DefinedSchedule, defineSchedule, type ScheduleDefinition } from './define-schedule.ts';
export { defineTask, type TaskDefinition } from './define-task.ts';
export { type ExecuteParams, execute } from './execute.ts';
export type { Execution } from './execution.ts';
export { Interrupt } from './interrupt.ts';
export {
  createIsolatedRuns,
  type IsolatedRun,
  type IsolatedRuns,
} from './isolated/isolated-runs.ts';
export type { RunsTracing } from './isolated/runs-tracing.ts';
export type { TaskSource } from './isolated/task-source.ts';
export { HandlerAbandonedError, HardTimeLimitError, SoftTimeLimitError } from './limits.ts';
export { type LoadedTask, loadTasks, TaskLoadError } from './load-tasks.ts';
export { Cancel, OnPurposeError, Reject, Retry, Snooze } from './on-purpose.ts';
export type { SchemaInput, SchemaOutput, TaskSchema } from './schema.ts';
export { ResultNotJsonError } from './snapshot.ts';
export { isTask, type Task, taskInfo, withIsolation } from './task.ts';
