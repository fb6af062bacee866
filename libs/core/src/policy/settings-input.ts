import { InvalidInputError, type Issue } from '../errors.ts';
import { PRIORITIES, type Priority } from '../jobs/envelope.ts';
import type { TaskRateInput } from '../limits/rate-input.ts';
import { isName } from '../names.ts';
import { fieldsOf } from '../read-fields.ts';
import { escapePointer } from '../unknown-fields.ts';
import { CALLBACK_KINDS, type Callback, type Callbacks } from './callback.ts';
import type { ConcurrencyKeyInput } from './concurrency.ts';
import { isGlob } from './glob.ts';
import { type Isolation, type IsolationInput, readIsolation } from './isolation.ts';
import { type CallbacksInput, readPolicy } from './policy-input.ts';
import type { RetryInput } from './retry-input.ts';
import { createSettings, type Layer, type Settings } from './settings.ts';
import type { TimeoutInput } from './timeout-input.ts';

/** What is read from a file has no more than the form of callbacks. */
type WrittenCallbacks = CallbacksInput | Callback | readonly Callback[];

/** What configuration may say of a task, as people write it. */
export interface TaskSettingsInput {
  readonly queue?: string | undefined;
  readonly priority?: Priority | undefined;
  readonly retry?: RetryInput | undefined;
  readonly timeout?: TimeoutInput | undefined;
  /** Where the handler runs. */
  readonly isolation?: IsolationInput | undefined;
  /** A duration from the job's run time. */
  readonly expires?: string | undefined;
  readonly onSuccess?: WrittenCallbacks | undefined;
  readonly onFailure?: WrittenCallbacks | undefined;
}

/** What configuration may say of one task alone, as people write it. */
export interface OneTaskSettingsInput extends TaskSettingsInput {
  /** At most so many of its jobs with one key run at once; places such as `{input.host}` stand for the input's. */
  readonly concurrencyKey?: ConcurrencyKeyInput | undefined;
  /** How many of its jobs begin in a time, over all workers. */
  readonly rateLimit?: TaskRateInput | undefined;
}

/** What configuration may say of the jobs of a queue, as people write it. */
export type QueueSettingsInput = Pick<TaskSettingsInput, 'onSuccess' | 'onFailure'>;

/** The sections of `jetbeat.yaml` that say where jobs go and what holds for them. */
export interface SettingsInput {
  /** Pattern of task names -> queue. */
  readonly routing?: Readonly<Record<string, string>> | undefined;
  /** Pattern of task names -> what holds for them, above what the tasks say themselves. */
  readonly tasks?: Readonly<Record<string, OneTaskSettingsInput>> | undefined;
  /** What holds where neither call, nor configuration, nor task says anything. */
  readonly defaults?: TaskSettingsInput | undefined;
  /** Name of a queue -> what holds for its jobs where the task says nothing. */
  readonly queues?: Readonly<Record<string, QueueSettingsInput>> | undefined;
}

const SECTIONS = ['routing', 'tasks', 'defaults', 'queues'] as const satisfies (keyof SettingsInput)[];
const FIELDS = [
  'queue',
  'priority',
  'retry',
  'timeout',
  'isolation',
  'expires',
  'onSuccess',
  'onFailure',
] as const satisfies (keyof TaskSettingsInput)[];
const TASK_FIELDS = [
  ...FIELDS,
  'concurrencyKey',
  'rateLimit',
] as const satisfies (keyof OneTaskSettingsInput)[];

/**
 * Reads the sections that say where jobs go and what holds for them.
 * @param where what to call them in the message, e.g. the name of the file
 * @throws InvalidInputError naming every wrong place
 */
export function readSettings(input: SettingsInput, where = 'the settings'): Settings {
  const issues: Issue[] = [];
  const { routing, tasks, defaults, queues } = fieldsOf(input, SECTIONS, '', issues) ?? {};
  const routes = entriesOf(routing, '/routing', issues).flatMap(([glob, queue]) =>
    isQueue(queue, `/routing/${escapePointer(glob)}`, issues) ? [[glob, queue] as const] : [],
  );
  const layers = entriesOf(tasks, '/tasks', issues).map(
    ([glob, layer]) =>
      [glob, readLayer(layer, `/tasks/${escapePointer(glob)}`, TASK_FIELDS, issues)] as const,
  );
  for (const [glob, { queue }] of layers) {
    if (queue === undefined || !routes.some(([other]) => other === glob)) continue;
    const message = `the queue of ${glob} is said twice, here and under routing: keep one of them`;
    issues.push({ pointer: `/tasks/${escapePointer(glob)}/queue`, code: 'invalid_value', message });
  }
  const below = defaults === undefined ? {} : readLayer(defaults, '/defaults', FIELDS, issues);
  const ofQueues = readQueues(queues, '/queues', issues);
  if (issues.length > 0) {
    const named = issues.map(({ pointer, message }) => `${dotted(pointer)}: ${message}`).join('; ');
    throw new InvalidInputError(`${where}: ${named}`, issues);
  }
  return createSettings({ routing: routes, tasks: layers, defaults: below, queues: ofQueues });
}

/** The pairs of a mapping whose keys are patterns. */
function entriesOf(value: unknown, pointer: string, issues: Issue[]): [string, unknown][] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    issues.push({ pointer, code: 'invalid_value', message: 'this is a mapping of patterns of task names' });
    return [];
  }
  const entries = Object.entries(value);
  for (const [glob] of entries) {
    if (isGlob(glob)) continue;
    const message = `${JSON.stringify(glob.slice(0, 128))} is no pattern of task names: write a name such as "media.sync", in which * stands for any characters`;
    issues.push({
      pointer: `${pointer}/${escapePointer(glob.slice(0, 128))}`,
      code: 'invalid_pattern',
      message,
    });
  }
  return entries;
}

function readLayer(
  value: unknown,
  pointer: string,
  allowed: readonly (keyof OneTaskSettingsInput)[],
  issues: Issue[],
): Layer {
  const fields = fieldsOf(value, allowed, pointer, issues);
  if (!fields) return {};
  const { queue, priority, isolation } = fields;
  const place: { queue?: string; priority?: Priority; isolation?: Isolation } = {};
  if (queue !== undefined && isQueue(queue, `${pointer}/queue`, issues)) place.queue = queue;
  if (PRIORITIES.includes(priority as Priority)) place.priority = priority as Priority;
  else if (priority !== undefined) {
    const message = `priority is one of ${PRIORITIES.join(', ')}`;
    issues.push({ pointer: `${pointer}/priority`, code: 'invalid_value', message });
  }
  if (isolation !== undefined) place.isolation = readIsolation(isolation, `${pointer}/isolation`, issues);
  const read = readPolicy(fields, pointer);
  issues.push(...read.issues);
  return Object.keys(read.policy).length === 0 ? place : { ...place, policy: read.policy };
}

function readQueues(value: unknown, pointer: string, issues: Issue[]): ReadonlyMap<string, Callbacks> {
  const queues = new Map<string, Callbacks>();
  if (value === undefined) return queues;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    issues.push({ pointer, code: 'invalid_value', message: 'this is a mapping of names of queues' });
    return queues;
  }
  for (const [name, given] of Object.entries(value)) {
    const place = `${pointer}/${escapePointer(name.slice(0, 128))}`;
    const fields = isQueue(name, place, issues) && fieldsOf(given, CALLBACK_KINDS, place, issues);
    if (!fields) continue;
    const read = readPolicy(fields, place);
    issues.push(...read.issues);
    queues.set(name, read.policy);
  }
  return queues;
}

function isQueue(value: unknown, pointer: string, issues: Issue[]): value is string {
  if (isName('queue', value)) return true;
  const message = 'a queue is one token of A-Z a-z 0-9 _ - (at most 64)';
  issues.push({ pointer, code: 'invalid_queue_name', message });
  return false;
}

function dotted(pointer: string): string {
  return pointer.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
}
