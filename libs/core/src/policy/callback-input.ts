import type { Issue } from '../errors.ts';
import { PRIORITIES, type Priority } from '../jobs/envelope.ts';
import { isName } from '../names.ts';
import { fieldsOf } from '../read-fields.ts';
import { type Callback, MAX_CALLBACK_INPUT, MAX_CALLBACKS, MAX_URL } from './callback.ts';
import { type RetryInput, readRetry } from './retry-input.ts';
import { readTimeout, type TimeoutInput } from './timeout-input.ts';

/** How a callback's own job is run. */
interface CallbackPolicyInput {
  readonly queue?: string;
  readonly priority?: Priority;
  readonly retry?: RetryInput;
  readonly timeout?: TimeoutInput;
}

/** A task that is run when a job has ended. */
export interface TaskCallbackInput extends CallbackPolicyInput {
  /** Its name, or the task itself. */
  readonly task: string | { readonly name: string };
  /** An object, to which what has happened is added as `parent`; anything where `pass` is false. */
  readonly input?: unknown;
  /** False: the task gets `input` as it is. */
  readonly pass?: boolean;
}

/** A request that is sent when a job has ended. */
export interface WebhookCallbackInput extends CallbackPolicyInput {
  readonly webhook: {
    readonly url: string;
    /** Name of a secret in the worker's configuration, with which it is signed. */
    readonly secret?: string;
  };
}

/** What a job calls when it has ended, as people write it. */
export type CallbackInput = TaskCallbackInput | WebhookCallbackInput;

const FIELDS = ['task', 'input', 'pass', 'webhook', 'queue', 'priority', 'retry', 'timeout'];
/** The name of a secret. */
export const SECRET_PATTERN = '^[A-Za-z0-9_-]{1,64}$';
const SECRET = new RegExp(SECRET_PATTERN);

/**
 * Reads callbacks, one or a list of them, into the form in which they travel; what is wrong joins `issues`. Undefined where
 * nothing is said.
 */
export function readCallbacks(
  value: unknown,
  pointer: string,
  issues: Issue[],
): readonly Callback[] | undefined {
  if (value === undefined) return undefined;
  const isList = Array.isArray(value);
  const list: readonly unknown[] = isList ? value : [value];
  if (list.length > MAX_CALLBACKS) {
    issues.push({ pointer, code: 'invalid_value', message: `there are at most ${MAX_CALLBACKS} callbacks` });
    return undefined;
  }
  return list.flatMap((one, index) => {
    const read = readCallback(one, isList ? `${pointer}/${index}` : pointer, issues);
    return read ? [read] : [];
  });
}

function readCallback(given: unknown, pointer: string, issues: Issue[]): Callback | undefined {
  const before = issues.length;
  const wrong = (field: string, message: string) =>
    issues.push({ pointer: `${pointer}/${field}`, code: 'invalid_value', message });
  const fields = fieldsOf(given, FIELDS, pointer, issues);
  if (!fields) return undefined;
  const { input, pass, webhook, queue, priority, retry, timeout } = fields;
  const task = nameOf(fields['task']);
  if ((task === undefined) === (webhook === undefined)) {
    // A field that nobody knows may be what was meant to be one of them.
    if (issues.length === before)
      issues.push({ pointer, code: 'invalid_value', message: 'a callback has either a task or a webhook' });
    return undefined;
  }
  if (webhook === undefined) {
    if (!isName('task', task)) wrong('task', 'task is the name of a task, or a task');
    checkInput(input, pass, wrong);
  } else {
    checkWebhook(webhook, `${pointer}/webhook`, issues);
    for (const field of ['input', 'pass'])
      if (fields[field] !== undefined) wrong(field, `a webhook has no ${field}: it tells what has happened`);
  }
  checkPlace(queue, priority, wrong);
  const plain = plainOf({ ...fields, ...(task === undefined ? {} : { task }) });
  if (retry !== undefined) readRetry(plain?.retry, `${pointer}/retry`, issues);
  if (timeout !== undefined) readTimeout(plain?.timeout, `${pointer}/timeout`, issues);
  return issues.length === before ? plain : undefined;
}

type Wrong = (field: string, message: string) => void;

function checkPlace(queue: unknown, priority: unknown, wrong: Wrong): void {
  if (queue !== undefined && !isName('queue', queue))
    wrong('queue', 'queue is one token of A-Z a-z 0-9 _ - (at most 64)');
  if (priority !== undefined && !PRIORITIES.includes(priority as Priority))
    wrong('priority', `priority is one of ${PRIORITIES.join(', ')}`);
}

function nameOf(task: unknown): unknown {
  return typeof task === 'object' && task !== null && 'name' in task ? task.name : task;
}

/** As it will be on the wire: a class in a list is its name, as in `retryOn`. */
function plainOf(fields: object): Callback | undefined {
  const named = (one: unknown) => (typeof one === 'function' ? one.name : one);
  try {
    return JSON.parse(
      JSON.stringify(fields, (_, value: unknown) => (Array.isArray(value) ? value.map(named) : value)),
    ) as Callback;
  } catch {
    return undefined;
  }
}

function checkInput(input: unknown, pass: unknown, wrong: Wrong): void {
  if (pass !== undefined && typeof pass !== 'boolean') wrong('pass', 'pass is true or false');
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
  if (input !== undefined && pass !== false && !isObject)
    wrong('input', 'input is an object, to which what has happened is added; or write "pass": false');
  if (isObject && pass !== false && 'parent' in input)
    wrong('input', 'the field "parent" of the input is where what has happened goes: choose another name');
  const length = plainOf({ input }) && JSON.stringify(input ?? null)?.length;
  if (length === undefined) wrong('input', 'input is written as JSON, and this cannot be');
  else if (length > MAX_CALLBACK_INPUT)
    wrong('input', `input is at most ${MAX_CALLBACK_INPUT} characters of JSON, not ${length}`);
}

function checkWebhook(value: unknown, pointer: string, issues: Issue[]): void {
  const fields = fieldsOf(value, ['url', 'secret'], pointer, issues);
  if (!fields) return;
  const { url, secret } = fields;
  if (!(typeof url === 'string' && url.length <= MAX_URL && /^https?:\/\//.test(url) && URL.canParse(url))) {
    const message = 'url is an address that begins with http:// or https://';
    issues.push({ pointer: `${pointer}/url`, code: 'invalid_value', message });
  }
  if (secret !== undefined && !(typeof secret === 'string' && SECRET.test(secret))) {
    const message = 'secret is the name of a secret in the configuration: 1 to 64 of A-Z a-z 0-9 _ -';
    issues.push({ pointer: `${pointer}/secret`, code: 'invalid_value', message });
  }
}
