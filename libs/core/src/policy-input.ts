import { parseDuration } from './duration.ts';
import type { InvalidInputError, Issue } from './errors.ts';
import type { PolicyOverrides, RetryPolicy, TimeLimits } from './policy.ts';
import { unknownFields } from './unknown-fields.ts';

/** Retry as people write it; durations are texts such as `"5s"`. */
export interface RetryInput {
  /** Total number of tries, 1 to 1000. */
  readonly attempts?: number;
  readonly backoff?: 'exponential';
  readonly delay?: string;
  /** 1 to 100. */
  readonly factor?: number;
  readonly max?: string;
  readonly jitter?: boolean;
}

/** Time limits as people write them; `soft` is shorter than `hard`. */
export interface TimeoutInput {
  readonly soft?: string;
  readonly hard?: string;
}

/** The most tries that a policy may ask for. */
export const MAX_ATTEMPTS = 1_000;

/** Reads what a task or a call says about retry and time limits. Nothing is thrown: every wrong place is named. */
export function readPolicy(
  input: { readonly retry?: unknown; readonly timeout?: unknown },
  pointer = '',
): { readonly policy: PolicyOverrides; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const retry = input.retry === undefined ? undefined : readRetry(input.retry, `${pointer}/retry`, issues);
  const timeout =
    input.timeout === undefined ? undefined : readTimeout(input.timeout, `${pointer}/timeout`, issues);
  return { policy: { ...(retry ? { retry } : {}), ...(timeout ? { timeout } : {}) }, issues };
}

function readRetry(value: unknown, pointer: string, issues: Issue[]): Partial<RetryPolicy> | undefined {
  const fields = fieldsOf(
    value,
    ['attempts', 'backoff', 'delay', 'factor', 'max', 'jitter'],
    pointer,
    issues,
  );
  if (!fields) return undefined;
  const { attempts, backoff, factor, jitter } = fields;
  const wrong = (field: string, message: string) =>
    issues.push({ pointer: `${pointer}/${field}`, code: 'invalid_value', message: `${field} ${message}` });
  if (attempts !== undefined && !(Number.isInteger(attempts) && isWithin(attempts, 1, MAX_ATTEMPTS))) {
    wrong('attempts', `is the total number of tries, a whole number from 1 to ${MAX_ATTEMPTS}`);
  }
  if (backoff !== undefined && backoff !== 'exponential') wrong('backoff', 'can only be "exponential"');
  if (factor !== undefined && !isWithin(factor, 1, 100)) wrong('factor', 'is a number from 1 to 100');
  if (jitter !== undefined && typeof jitter !== 'boolean') wrong('jitter', 'is true or false');
  const delay = readDuration(fields['delay'], `${pointer}/delay`, issues);
  const max = readDuration(fields['max'], `${pointer}/max`, issues);
  return {
    ...(attempts === undefined ? {} : { attempts: attempts as number }),
    ...(backoff === undefined ? {} : { backoff: 'exponential' }),
    ...(delay === undefined ? {} : { delay }),
    ...(factor === undefined ? {} : { factor: factor as number }),
    ...(max === undefined ? {} : { max }),
    ...(jitter === undefined ? {} : { jitter: jitter as boolean }),
  };
}

function readTimeout(value: unknown, pointer: string, issues: Issue[]): Partial<TimeLimits> | undefined {
  const fields = fieldsOf(value, ['soft', 'hard'], pointer, issues);
  if (!fields) return undefined;
  const soft = readDuration(fields['soft'], `${pointer}/soft`, issues, 1);
  const hard = readDuration(fields['hard'], `${pointer}/hard`, issues, 1);
  if (soft !== undefined && hard !== undefined && soft >= hard) {
    issues.push({
      pointer: `${pointer}/soft`,
      code: 'invalid_value',
      message: 'soft must be shorter than hard',
    });
  }
  return { ...(soft === undefined ? {} : { soft }), ...(hard === undefined ? {} : { hard }) };
}

function fieldsOf(value: unknown, allowed: readonly string[], pointer: string, issues: Issue[]) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    issues.push({ pointer, code: 'invalid_value', message: `this is an object of ${allowed.join(', ')}` });
    return undefined;
  }
  issues.push(...unknownFields(value, allowed, pointer));
  return value as Record<string, unknown>;
}

function readDuration(value: unknown, pointer: string, issues: Issue[], least = 0): number | undefined {
  if (value === undefined) return undefined;
  try {
    const ms = parseDuration(typeof value === 'string' ? value : String(value), pointer);
    if (ms >= least) return ms;
    issues.push({ pointer, code: 'invalid_duration', message: 'this must be longer than nothing' });
  } catch (error) {
    // parseDuration throws nothing else.
    issues.push(...(error as InvalidInputError).issues);
  }
  return undefined;
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
