import {
  type CallbacksInput,
  type ConcurrencyKeyInput,
  InvalidInputError,
  type IsolationInput,
  type Issue,
  isName,
  PRIORITIES,
  type Priority,
  type RetryInput,
  readIsolation,
  readPolicy,
  summary,
  type TaskRateInput,
  type TimeoutInput,
  unknownFields,
} from '@jetbeat/core';
import type { Context } from './context.ts';
import {
  type InputCheck,
  readSchema,
  type SchemaInput,
  type SchemaOutput,
  type TaskSchema,
  type Unchecked,
} from './schema.ts';
import { brandTask, type Task } from './task.ts';

/** What an author says of a task; what is left out comes from the defaults. */
export interface TaskDefinition<Schema extends TaskSchema, Result> {
  /** Dot-separated tokens of `[A-Za-z0-9_-]`, e.g. `report.send`. */
  readonly name: string;
  /** Without it every input is taken as it comes. */
  readonly input?: Schema;
  /** `default` where nothing is said. */
  readonly queue?: string;
  /** `normal` where nothing is said. */
  readonly priority?: Priority;
  readonly retry?: RetryInput;
  /** `soft` aborts `ctx.signal`, `hard` ends the attempt. */
  readonly timeout?: TimeoutInput;
  /** Where the handler runs; `inline` where nothing is said. */
  readonly isolation?: IsolationInput;
  /** A duration from the job's run time: one that has begun no run by then ends as `expired`. */
  readonly expires?: string;
  /** What is run when a job of this task has succeeded. */
  readonly onSuccess?: CallbacksInput;
  /** What is run when a job of this task is dead, or has expired. */
  readonly onFailure?: CallbacksInput;
  /**
   * At most one of its jobs with the same key runs at once, over all workers and queues; or `limit` of them. Places such as
   * `{input.host}` stand for what the input says; a key without any holds for all its jobs together.
   */
  readonly concurrencyKey?: ConcurrencyKeyInput;
  /** So many of its jobs begin in each period, over all workers; `per: 'key'`: of each concurrency key. */
  readonly rateLimit?: TaskRateInput;
  /** Runs one attempt. It may be called more than once for one job, so its effects should bear repeating. */
  run(input: SchemaOutput<Schema>, ctx: Context): Result | Promise<Result>;
}

const FIELDS = [
  'name',
  'input',
  'queue',
  'priority',
  'retry',
  'timeout',
  'isolation',
  'expires',
  'onSuccess',
  'onFailure',
  'concurrencyKey',
  'rateLimit',
  'run',
];
const UNCHECKED: InputCheck = { check: (value) => ({ value }), jsonSchema: undefined };

/**
 * Defines a task. Export the answer from a module that `JETBEAT_TASKS` names, and workers run it.
 * @throws InvalidInputError naming everything that is wrong with the definition
 */
export function defineTask<const Schema extends TaskSchema = Unchecked, Result = unknown>(
  definition: TaskDefinition<Schema, Result>,
): Task<SchemaInput<Schema>, Result> {
  const { name, queue, priority } = definition;
  const { policy, issues: policyIssues } = readPolicy(definition);
  const issues: Issue[] = [...unknownFields(definition, FIELDS), ...policyIssues];
  const isolation =
    definition.isolation === undefined
      ? undefined
      : readIsolation(definition.isolation, '/isolation', issues);
  const wrong = (field: string, message: string) =>
    issues.push({ pointer: `/${field}`, code: 'invalid_value', message: `${field} ${message}` });
  if (!isName('task', name))
    wrong('name', 'is tokens of A-Z a-z 0-9 _ - joined by dots, at most 128 characters');
  if (queue !== undefined && !isName('queue', queue))
    wrong('queue', 'is one token of A-Z a-z 0-9 _ - (at most 64)');
  if (priority !== undefined && !PRIORITIES.includes(priority))
    wrong('priority', `is one of ${PRIORITIES.join(', ')}`);
  if (typeof definition.run !== 'function') wrong('run', 'is a function of the input and the context');
  const input = inputCheck(definition.input, (message) => wrong('input', message));
  if (issues.length > 0)
    throw new InvalidInputError(summary(`the task ${JSON.stringify(name)}`, issues), issues);
  return brandTask({
    name,
    policy,
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(isolation === undefined ? {} : { isolation }),
    check: input.check,
    inputSchema: () => input.jsonSchema,
    // The executor checks the input first, so it has the schema's output type here.
    handler: (value: unknown, ctx: Context) => definition.run(value as SchemaOutput<Schema>, ctx),
  });
}

function inputCheck(schema: unknown, wrong: (message: string) => void): InputCheck {
  if (schema === undefined) return UNCHECKED;
  try {
    return readSchema(schema);
  } catch (error) {
    wrong(`cannot be used: ${error instanceof Error ? error.message : String(error)}`);
    return UNCHECKED;
  }
}
