import { MAX_DURATION_MS, parseDuration } from './duration.ts';
import { envelopeText, FIRST_POSITION, type JobEnvelope, PRIORITIES, type Priority } from './envelope.ts';
import { describeIssues, InvalidInputError, type Issue } from './errors.ts';
import { checkName, isName } from './names.ts';
import { isTooDeep, MAX_NESTING } from './nesting.ts';
import type { Checked, TaskRef } from './task-ref.ts';
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
  /** The envelope as JSON, so that whoever sends it or tells of it need not write it again. */
  readonly text: string;
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

/** What a call is made of. */
export interface CallParams {
  readonly task: TaskRef | string;
  readonly input: unknown;
  readonly options?: CallOptions | undefined;
  readonly id: string;
  /** Unix milliseconds. */
  readonly now: number;
  readonly parent?: string;
}

/** What was said by whoever says nothing. */
const NO_OPTIONS: CallOptions = {};

/**
 * Makes the job of one call. Its input becomes what it will be on the wire (a `Date` becomes a text) before the task's
 * schema sees it, so that what passes here passes at the worker too.
 * @throws InvalidInputError naming every wrong option and every wrong place of the input
 */
export async function makeCall(params: CallParams): Promise<Call> {
  return makeCallNow(params);
}

/**
 * Makes the job of one call, as `makeCall` does, without a promise where the task's check needs none.
 * @throws InvalidInputError, at once or by the promise
 */
export function makeCallNow(params: CallParams): Call | Promise<Call> {
  const task: TaskRef = typeof params.task === 'string' ? { name: params.task } : params.task;
  checkName('task', task.name, '/task');
  const runAt = params.options === undefined ? params.now : startOf(task, params.options, params.now);
  const text = toText(params.input, task.name);
  const input: unknown = JSON.parse(text);
  if (isTooDeep(input, MAX_NESTING - 1))
    throw notJson(task.name, `it is nested deeper than ${MAX_NESTING - 1} levels`);
  const checked = task.check?.(input);
  if (checked !== undefined && 'then' in checked) {
    return checked.then((later) => {
      refuseWrong(task, later);
      return finishCall(params, task, { runAt, input, text });
    });
  }
  refuseWrong(task, checked);
  return finishCall(params, task, { runAt, input, text });
}

function refuseWrong(task: TaskRef, checked: Checked | undefined): void {
  if (checked?.issues)
    throw new InvalidInputError(summary(`the input of ${task.name}`, checked.issues), checked.issues);
}

/** When the job is to begin, after its options were checked. Unix milliseconds. */
function startOf(task: TaskRef, options: CallOptions, now: number): number {
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
  return runAt;
}

function finishCall(
  params: CallParams,
  task: TaskRef,
  { runAt, input, text }: { readonly runAt: number; readonly input: unknown; readonly text: string },
): Call {
  const { options = NO_OPTIONS, id, now, parent } = params;
  const plain: JobEnvelope = {
    v: 1,
    id,
    task: task.name,
    queue: options.queue ?? task.queue ?? DEFAULT_QUEUE,
    priority: options.priority ?? task.priority ?? 'normal',
    input,
    createdAt: now,
    runAt,
    attempt: FIRST_POSITION.attempt,
    run: FIRST_POSITION.run,
    parks: FIRST_POSITION.parks,
  };
  const { meta } = options;
  // Most calls have neither, and a copy of an object costs as much as a small input.
  const envelope: JobEnvelope =
    meta === undefined && parent === undefined
      ? plain
      : { ...plain, ...(meta === undefined ? {} : { meta }), ...(parent === undefined ? {} : { parent }) };
  const whole = envelopeText(envelope, text);
  return runAt > now ? { envelope, text: whole, at: runAt } : { envelope, text: whole };
}

/** Says in one sentence that something cannot be accepted, and why. */
export function summary(subject: string, issues: readonly Issue[]): string {
  return `${subject} cannot be accepted: ${describeIssues(issues)}`;
}

/**
 * The value as JSON; `undefined` becomes `null`.
 * @throws InvalidInputError for what JSON cannot carry: a BigInt, a cycle, a function
 */
function toText(value: unknown, task: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value ?? null);
  } catch (cause) {
    throw notJson(task, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (text === undefined) throw notJson(task, `it is a ${typeof value}`);
  return text;
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
