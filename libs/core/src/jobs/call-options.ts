import type { Issue } from '../errors.ts';
import { isName } from '../names.ts';
import type { ConcurrencyKeyInput } from '../policy/concurrency.ts';
import type { CallbacksInput } from '../policy/policy-input.ts';
import type { RetryInput } from '../policy/retry-input.ts';
import type { TimeoutInput } from '../policy/timeout-input.ts';
import { readDuration } from '../read-fields.ts';
import { UNIQUE_FIELDS, type UniqueOptions } from '../unique/unique-input.ts';
import { escapePointer, unknownFields } from '../unknown-fields.ts';
import { PRIORITIES, type Priority } from './envelope.ts';

/**
 * What a program may say when it calls a task; what it leaves out comes from the configuration of the task, from the task
 * itself, then from the defaults.
 */
export interface CallOptions extends UniqueOptions {
  /** A duration such as `"10m"`; not together with `runAt`. */
  readonly delay?: string;
  /** When to begin, at most ten years ahead; a time that is over means at once. */
  readonly runAt?: Date;
  readonly queue?: string;
  readonly priority?: Priority;
  /** A duration from the time at which the job is to begin, or a time: a job that has begun no run by then ends as `expired`. */
  readonly expires?: string | Date;
  readonly retry?: RetryInput;
  /** `soft` aborts the handler's signal, `hard` ends the attempt. */
  readonly timeout?: TimeoutInput;
  /** What is run when the job has succeeded. */
  readonly onSuccess?: CallbacksInput;
  /** What is run when the job is dead, or has expired. */
  readonly onFailure?: CallbacksInput;
  /** At most one job with this key runs at once, over all workers and queues; or `limit` of them. */
  readonly concurrencyKey?: ConcurrencyKeyInput;
  readonly meta?: Readonly<Record<string, string>>;
}

/** The fields of `CallOptions`. */
const CALL_FIELDS = [
  'delay',
  'runAt',
  'queue',
  'priority',
  'expires',
  'retry',
  'timeout',
  'onSuccess',
  'onFailure',
  'concurrencyKey',
  'meta',
  ...UNIQUE_FIELDS,
] as const satisfies (keyof CallOptions)[];

/** The most notes of a job. */
export const MAX_META = 64;
/** The longest text of a note, in characters. */
export const MAX_META_TEXT = 1_024;
/** What may name a note. */
export const META_PATTERN = '^[A-Za-z0-9_.-]{1,64}$';
const META_RULE = `is an object of at most ${MAX_META} texts of at most ${MAX_META_TEXT} characters, their names 1 to 64 of A-Z a-z 0-9 _ . -`;
const META_NAME = new RegExp(META_PATTERN);

/** Names what is wrong with the options of a call, but retry and time limits, which are read. */
export function optionIssues(options: object): Issue[] {
  const issues = unknownFields(options, CALL_FIELDS);
  const { delay, runAt, queue, priority, expires, meta } = options as Record<keyof CallOptions, unknown>;
  const wrong = (field: string, message: string) =>
    issues.push({ pointer: `/${field}`, code: 'invalid_value', message: `${field} ${message}` });
  if (delay !== undefined) {
    if (runAt !== undefined) wrong('delay', 'and runAt exclude each other');
    readDuration(delay, '/delay', issues);
  }
  if (runAt !== undefined && !isDate(runAt)) wrong('runAt', 'is a valid Date');
  if (typeof expires === 'string') readDuration(expires, '/expires', issues);
  else if (expires !== undefined && !isDate(expires))
    wrong('expires', 'is a duration such as "60s" or a time (in a program a valid Date)');
  if (queue !== undefined && !isName('queue', queue))
    wrong('queue', 'is one token of A-Z a-z 0-9 _ - (at most 64)');
  if (priority !== undefined && !PRIORITIES.includes(priority as Priority))
    wrong('priority', `is one of ${PRIORITIES.join(', ')}`);
  if (meta !== undefined && !isMeta(meta))
    for (const place of wrongNotes(meta))
      issues.push({ pointer: `/meta${place}`, code: 'invalid_value', message: `meta ${META_RULE}` });
  return issues;
}

function isDate(value: unknown): boolean {
  return value instanceof Date && Number.isFinite(value.getTime());
}

function isMeta(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries: [string, unknown][] = Object.entries(value);
  return entries.length <= MAX_META && entries.every(([name, text]) => META_NAME.test(name) && isNote(text));
}

/** Where the wrong notes are; `''`: it is wrong as a whole. */
function wrongNotes(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [''];
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length > MAX_META) return [''];
  const wrong = entries.filter(([name, text]) => !META_NAME.test(name) || !isNote(text));
  return wrong.map(([name]) => `/${escapePointer(name)}`);
}

function isNote(text: unknown): boolean {
  return typeof text === 'string' && text.length <= MAX_META_TEXT;
}
