import { MAX_DURATION_MS, parseDuration } from './duration.ts';
import { FIRST_POSITION, type JobEnvelope, PRIORITIES, type Priority } from './envelope.ts';
import { describeIssues, InvalidInputError, type Issue } from './errors.ts';
import { checkName, isName } from './names.ts';
import { isTooDeep, MAX_NESTING } from './nesting.ts';
import type { TaskRef } from './task-ref.ts';
import { unknownFields } from './unknown-fields.ts';

/** What a program may say when it calls a task; what it leaves out comes from the task, then from the defaults. */
export interface CallOptions {
  /** A duration such as `"10m"`; not together with `runAt`. */
  readonly delay?: string;
  /** When to begin, at most ten years ahead; a time that is over means at once. */
  readonly runAt?: Date;
  readonly queue?: string;
  readonly priority?: Priority;
  readonly meta?: Readonly<Record<string, string>>;
}

/** The fields of `CallOptions`. */
const CALL_FIELDS = ['delay', 'runAt', 'queue', 'priority', 'meta'] as const satisfies (keyof CallOptions)[];

/** A call that was checked, ready to be published. */
export interface Call {
  readonly envelope: JobEnvelope;
  /** Unix milliseconds; present when the job is to wait as a timer. */
  readonly at?: number;
}

/** The queue of a job where neither the call nor the task names one. */
export const DEFAULT_QUEUE = 'default';
/** The most notes of a job. */
export const MAX_META = 64;
/** The longest text of a note, in characters. */
export const MAX_META_TEXT = 1_024;
/** What may name a note. */
export const META_PATTERN = '^[A-Za-z0-9_.-]{1,64}$';
const META_RULE = `is an object of at most ${MAX_META} texts of at most ${MAX_META_TEXT} characters, their names 1 to 64 of A-Z a-z 0-9 _ . -`;
const META_NAME = new RegExp(META_PATTERN);

/**
 * Makes the job of one call. Its input becomes what it will be on the wire (a `Date` becomes a text) before the task's
 * schema sees it, so that what passes here passes at the worker too.
 * @throws InvalidInputError naming every wrong option and every wrong place of the input
 */
export async function makeCall(params: {
  readonly task: TaskRef | string;
  readonly input: unknown;
  readonly options?: CallOptions | undefined;
  readonly id: string;
  /** Unix milliseconds. */
  readonly now: number;
  readonly parent?: string;
}): Promise<Call> {
  const { id, now, parent } = params;
  const task: TaskRef = typeof params.task === 'string' ? { name: params.task } : params.task;
  checkName('task', task.name, '/task');
  const options = params.options ?? {};
  const issues = optionIssues(options);
  if (issues.length > 0)
    throw new InvalidInputError(summary(`the options of this call of ${task.name}`, issues), issues);
  const runAt = Math.max(
    now,
    options.delay === undefined ? (options.runAt?.getTime() ?? now) : now + parseDuration(options.delay),
  );
  if (runAt - now > MAX_DURATION_MS) {
    const message = 'a job may wait for ten years at most';
    throw new InvalidInputError(message, [{ pointer: '/runAt', code: 'invalid_value', message }]);
  }
  const input = toJson(params.input, task.name);
  if (isTooDeep(input, MAX_NESTING - 1))
    throw notJson(task.name, `it is nested deeper than ${MAX_NESTING - 1} levels`);
  const checked = await task.check?.(input);
  if (checked?.issues)
    throw new InvalidInputError(summary(`the input of ${task.name}`, checked.issues), checked.issues);
  const envelope: JobEnvelope = {
    v: 1,
    id,
    task: task.name,
    queue: options.queue ?? task.queue ?? DEFAULT_QUEUE,
    priority: options.priority ?? task.priority ?? 'normal',
    input,
    ...(options.meta === undefined ? {} : { meta: options.meta }),
    createdAt: now,
    runAt,
    ...(parent === undefined ? {} : { parent }),
    ...FIRST_POSITION,
  };
  return runAt > now ? { envelope, at: runAt } : { envelope };
}

/** Says in one sentence that something cannot be accepted, and why. */
export function summary(subject: string, issues: readonly Issue[]): string {
  return `${subject} cannot be accepted: ${describeIssues(issues)}`;
}

/**
 * The value as JSON carries it; `undefined` becomes `null`.
 * @throws InvalidInputError for what JSON cannot carry: a BigInt, a cycle, a function
 */
function toJson(value: unknown, task: string): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(value ?? null);
  } catch (cause) {
    throw notJson(task, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (text === undefined) throw notJson(task, `it is a ${typeof value}`);
  return JSON.parse(text);
}

function notJson(task: string, why: string, cause?: unknown): InvalidInputError {
  const message = `the input of ${task} cannot be written as JSON: ${why}`;
  return new InvalidInputError(message, [{ pointer: '/input', code: 'not_json', message }], { cause });
}

function optionIssues(options: object): Issue[] {
  const issues = unknownFields(options, CALL_FIELDS);
  const { delay, runAt, queue, priority, meta } = options as Record<keyof CallOptions, unknown>;
  const wrong = (field: string, message: string) =>
    issues.push({ pointer: `/${field}`, code: 'invalid_value', message: `${field} ${message}` });
  if (delay !== undefined) {
    if (runAt !== undefined) wrong('delay', 'and runAt exclude each other');
    try {
      parseDuration(String(delay), '/delay');
    } catch (error) {
      // parseDuration throws nothing else.
      issues.push(...(error as InvalidInputError).issues);
    }
  }
  if (runAt !== undefined && !(runAt instanceof Date && Number.isFinite(runAt.getTime())))
    wrong('runAt', 'is a valid Date');
  if (queue !== undefined && !isName('queue', queue))
    wrong('queue', 'is one token of A-Z a-z 0-9 _ - (at most 64)');
  if (priority !== undefined && !PRIORITIES.includes(priority as Priority))
    wrong('priority', `is one of ${PRIORITIES.join(', ')}`);
  if (meta !== undefined && !isMeta(meta)) wrong('meta', META_RULE);
  return issues;
}

function isMeta(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries: [string, unknown][] = Object.entries(value);
  return entries.length <= MAX_META && entries.every(([name, text]) => META_NAME.test(name) && isNote(text));
}

function isNote(text: unknown): boolean {
  return typeof text === 'string' && text.length <= MAX_META_TEXT;
}
