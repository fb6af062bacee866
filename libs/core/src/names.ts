import { InvalidInputError } from './errors.ts';

const TOKEN = '[A-Za-z0-9_-]{1,64}';

/** A queue is one token, since it is one token of a NATS subject. */
export const QUEUE_PATTERN = `^${TOKEN}$`;
/** A task is dot-separated tokens; at most 128 characters in all. */
export const TASK_PATTERN = `^(?=.{1,128}$)${TOKEN}(\\.${TOKEN})*$`;
/** A schedule's name may also hold `/`, so that names can be grouped. */
export const SCHEDULE_PATTERN = `^(?=.{1,128}$)${TOKEN}([./]${TOKEN})*$`;

const rules = {
  queue: new RegExp(QUEUE_PATTERN),
  task: new RegExp(TASK_PATTERN),
  schedule: new RegExp(SCHEDULE_PATTERN),
} as const;

const shapes = {
  queue: 'one token of A-Z a-z 0-9 _ - (at most 64)',
  task: 'tokens of A-Z a-z 0-9 _ - (at most 64 each) joined by dots, at most 128 in all',
  schedule: 'tokens of A-Z a-z 0-9 _ - (at most 64 each) joined by dots or slashes, at most 128 in all',
} as const;

/** Whether `value` may name a thing of this kind. */
export function isName(kind: keyof typeof rules, value: unknown): value is string {
  return typeof value === 'string' && rules[kind].test(value);
}

/**
 * Returns `value` when it may name a thing of this kind.
 * @throws InvalidInputError otherwise; no name ever reaches a subject unchecked
 */
export function checkName(kind: keyof typeof rules, value: unknown, pointer = ''): string {
  if (isName(kind, value)) return value;
  const message = `${JSON.stringify(value)} is not a ${kind} name: use ${shapes[kind]}`;
  throw new InvalidInputError(message, [{ pointer, code: `invalid_${kind}_name`, message }]);
}
