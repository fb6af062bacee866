import { MAX_DURATION_MS, parseDuration } from '../duration.ts';
import { describeIssues, InvalidInputError, type Issue } from '../errors.ts';
import { checkName } from '../names.ts';
import type { PolicyOverrides } from '../policy/policy.ts';
import { readPolicy } from '../policy/policy-input.ts';
import { expiresOf, NO_SETTINGS, placeOf, type Settings } from '../policy/settings.ts';
import { lastConcurrency, refOf, type UniqueAsk } from '../unique/unique.ts';
import { readUnique } from '../unique/unique-input.ts';
import { type CallOptions, optionIssues } from './call-options.ts';
import { envelopeText, FIRST_POSITION, type JobEnvelope } from './envelope.ts';
import { isTooDeep, MAX_NESTING } from './nesting.ts';
import type { Checked, TaskRef } from './task-ref.ts';

/** A call that was checked, ready to be published. */
export interface Call {
  readonly envelope: JobEnvelope;
  /** The envelope as JSON, so that whoever sends it or tells of it need not write it again. */
  readonly text: string;
  /** Unix milliseconds; present when the job is to wait as a timer. */
  readonly at?: number;
  /** What the call wants of its key: to be asked for before the job is stored. */
  readonly unique?: UniqueAsk;
}

/** What a call is made of. */
export interface CallParams {
  readonly task: TaskRef | string;
  readonly input: unknown;
  readonly options?: CallOptions | undefined;
  readonly id: string;
  /** Unix milliseconds. */
  readonly now: number;
  readonly parent?: string;
  /** What the installation's configuration says of tasks. */
  readonly settings?: Settings | undefined;
}

/** A call whose options were checked. */
interface Read {
  /** When the job is to begin, Unix milliseconds. */
  readonly runAt: number;
  /** What the call itself says of retry and time limits. */
  readonly policy?: PolicyOverrides;
  /** When the call itself says that it expires, Unix milliseconds. */
  readonly expiresAt?: number;
  readonly unique?: UniqueAsk | undefined;
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
  const read =
    params.options === undefined ? { runAt: params.now } : readOptions(task, params.options, params.now);
  const text = toText(params.input, task.name);
  const input: unknown = JSON.parse(text);
  if (isTooDeep(input, MAX_NESTING - 1))
    throw notJson(task.name, `it is nested deeper than ${MAX_NESTING - 1} levels`);
  const checked = task.check?.(input);
  if (checked !== undefined && 'then' in checked) {
    return checked.then((later) => {
      refuseWrong(task, later);
      return finishCall(params, task, read, input, text);
    });
  }
  refuseWrong(task, checked);
  return finishCall(params, task, read, input, text);
}

function refuseWrong(task: TaskRef, checked: Checked | undefined): void {
  if (checked?.issues)
    throw new InvalidInputError(summary(`the input of ${task.name}`, checked.issues), checked.issues);
}

/** Reads the options of a call. */
function readOptions(task: TaskRef, options: CallOptions, now: number): Read {
  const { retry, timeout, expires, onSuccess, onFailure } = options;
  const issues = optionIssues(options);
  const unique = readUnique(options, issues);
  const concurrencyKey =
    unique?.mode === 'last' ? lastConcurrency(task.name, unique) : options.concurrencyKey;
  const silent = [retry, timeout, onSuccess, onFailure, concurrencyKey].every((one) => one === undefined);
  const said = silent ? undefined : readPolicy({ retry, timeout, onSuccess, onFailure, concurrencyKey });
  if (said) issues.push(...said.issues);
  if (issues.length > 0)
    throw new InvalidInputError(summary(`the options of this call of ${task.name}`, issues), issues);
  const delay = options.delay === undefined ? unique?.delayMs : parseDuration(options.delay);
  const runAt = Math.max(now, delay === undefined ? (options.runAt?.getTime() ?? now) : now + delay);
  if (runAt - now > MAX_DURATION_MS) refuse('/runAt', 'a job may wait for ten years at most');
  if (expires === undefined) return said ? { runAt, unique, policy: said.policy } : { runAt, unique };
  const expiresAt = typeof expires === 'string' ? runAt + parseDuration(expires) : expires.getTime();
  const wrong = wrongExpiry(expiresAt, runAt);
  if (wrong !== undefined) refuse('/expires', wrong);
  return { runAt, expiresAt, unique, ...(said ? { policy: said.policy } : {}) };
}

/** What is wrong with a time by which a job has to begin, if anything. Unix milliseconds. */
export function wrongExpiry(expiresAt: number, runAt: number): string | undefined {
  if (expiresAt <= runAt) return 'a job cannot expire before it is to begin';
  return expiresAt - runAt > MAX_DURATION_MS ? 'a job expires after ten years at most' : undefined;
}

function refuse(pointer: string, message: string): never {
  throw new InvalidInputError(message, [{ pointer, code: 'invalid_value', message }]);
}

function finishCall(params: CallParams, task: TaskRef, read: Read, input: unknown, text: string): Call {
  const { options = NO_OPTIONS, id, now, parent, settings = NO_SETTINGS } = params;
  const { runAt, policy, unique } = read;
  const configured = settings.of(task.name);
  const place = placeOf(options, configured, task);
  const plain: JobEnvelope = {
    v: 1,
    id,
    task: task.name,
    queue: place.queue,
    priority: place.priority,
    input,
    createdAt: now,
    runAt,
    attempt: FIRST_POSITION.attempt,
    run: FIRST_POSITION.run,
    parks: FIRST_POSITION.parks,
  };
  const { meta } = options;
  const expires = read.expiresAt === undefined ? expiresOf(configured, task.policy) : undefined;
  const expiresAt = expires === undefined ? read.expiresAt : runAt + expires;
  // Most calls have none of them, and a copy of an object costs as much as a small input.
  const envelope: JobEnvelope =
    meta === undefined &&
    parent === undefined &&
    policy === undefined &&
    expiresAt === undefined &&
    unique === undefined
      ? plain
      : {
          ...plain,
          ...(meta === undefined ? {} : { meta }),
          ...(policy === undefined ? {} : { policy }),
          ...(expiresAt === undefined ? {} : { expiresAt }),
          ...(parent === undefined ? {} : { parent }),
          ...(unique === undefined ? {} : { unique: refOf(unique) }),
        };
  const whole = envelopeText(envelope, text);
  const call: Call = runAt > now ? { envelope, text: whole, at: runAt } : { envelope, text: whole };
  return unique === undefined ? call : { ...call, unique };
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
