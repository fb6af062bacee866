import type { Issue } from '../errors.ts';
import { fieldsOf, readDuration } from '../read-fields.ts';
import { BACKOFFS, type Backoff, type RetryPolicy } from './policy.ts';

/** A class of errors; it stands for its name. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Retry as people write it; durations are texts such as `"5s"`. */
export interface RetryInput {
  /** Total number of tries, 1 to 1000. */
  readonly attempts?: number;
  /** How the delays grow; not beside a list of them. */
  readonly backoff?: Backoff;
  /** Before the second try; or all delays one after the other, of which the last repeats. */
  readonly delay?: string | readonly string[];
  /** 1 to 100, for `exponential`; not beside a list of delays. */
  readonly factor?: number;
  /** Upper bound of one delay. */
  readonly max?: string;
  readonly jitter?: boolean;
  /** Error classes, by themselves or by name, and codes: nothing else is tried again. */
  readonly retryOn?: readonly (string | ErrorClass)[];
  /** The same for what is never tried again; wins over `retryOn`. Empty: there is nothing. */
  readonly noRetryOn?: readonly (string | ErrorClass)[];
}

/** The most tries that a policy may ask for. */
export const MAX_ATTEMPTS = 1_000;
/** The most delays in a list. */
export const MAX_DELAYS = 100;
/** The most names in `retryOn` and in `noRetryOn`. */
export const MAX_KINDS = 64;
/** The longest of these names, in characters. */
export const MAX_KIND = 128;

const FIELDS = [
  'attempts',
  'backoff',
  'delay',
  'factor',
  'max',
  'jitter',
  'retryOn',
  'noRetryOn',
] as const satisfies (keyof RetryInput)[];
const KINDS_RULE = `is a list of at most ${MAX_KINDS} error classes, names of such, or codes, of 1 to ${MAX_KIND} characters`;

/** Reads what one layer says about retry; what is wrong joins `issues`. */
export function readRetry(
  value: unknown,
  pointer: string,
  issues: Issue[],
): Partial<RetryPolicy> | undefined {
  const fields = fieldsOf(value, FIELDS, pointer, issues);
  if (!fields) return undefined;
  const wrong = (field: string, message: string, index?: number) => {
    const place = index === undefined ? `${pointer}/${field}` : `${pointer}/${field}/${index}`;
    issues.push({ pointer: place, code: 'invalid_value', message: `${field} ${message}` });
  };
  const simple = readSimple(fields, wrong);
  const delay = readDelay(fields['delay'], `${pointer}/delay`, issues);
  const max = readDuration(fields['max'], `${pointer}/max`, issues);
  refuseIdle(fields, delay, max, wrong);
  const retryOn = readKinds('retryOn', fields, wrong);
  // Taken literally nothing would ever be tried again, which `attempts: 1` says.
  if (retryOn?.length === 0) wrong('retryOn', 'is not empty: name what is tried again, or leave it out');
  const noRetryOn = readKinds('noRetryOn', fields, wrong);
  return {
    ...simple,
    ...(delay === undefined ? {} : { delay }),
    ...(max === undefined ? {} : { max }),
    ...(retryOn === undefined ? {} : { retryOn }),
    ...(noRetryOn === undefined ? {} : { noRetryOn }),
  };
}

type Wrong = (field: string, message: string, index?: number) => void;
type Fields = Readonly<Record<string, unknown>>;

/** Reads the fields that are neither durations nor lists. */
function readSimple(
  { attempts, backoff, factor, jitter }: Fields,
  wrong: Wrong,
): Partial<Pick<RetryPolicy, 'attempts' | 'backoff' | 'factor' | 'jitter'>> {
  if (attempts !== undefined && !(Number.isInteger(attempts) && isWithin(attempts, 1, MAX_ATTEMPTS)))
    wrong('attempts', `is the total number of tries, a whole number from 1 to ${MAX_ATTEMPTS}`);
  if (backoff !== undefined && !BACKOFFS.includes(backoff as Backoff))
    wrong('backoff', `is one of ${BACKOFFS.join(', ')}`);
  if (factor !== undefined && !isWithin(factor, 1, 100)) wrong('factor', 'is a number from 1 to 100');
  if (jitter !== undefined && typeof jitter !== 'boolean') wrong('jitter', 'is true or false');
  return {
    ...(attempts === undefined ? {} : { attempts: attempts as number }),
    ...(backoff === undefined ? {} : { backoff: backoff as Backoff }),
    ...(factor === undefined ? {} : { factor: factor as number }),
    ...(jitter === undefined ? {} : { jitter: jitter as boolean }),
  };
}

/** No field is taken that would have no effect beside another one. */
function refuseIdle(
  { backoff, factor }: Fields,
  delay: RetryPolicy['delay'] | undefined,
  max: number | undefined,
  wrong: Wrong,
): void {
  if (typeof delay === 'object') {
    const message = 'means nothing beside a list of delays: keep one of them';
    if (backoff !== undefined) wrong('backoff', message);
    if (factor !== undefined) wrong('factor', message);
  } else if (factor !== undefined && (backoff === 'fixed' || backoff === 'linear')) {
    wrong('factor', `means nothing for ${backoff} backoff: leave it out`);
  }
  const longest = typeof delay === 'object' ? Math.max(...delay) : delay;
  if (max !== undefined && longest !== undefined && max < longest)
    wrong('max', 'is shorter than a delay beside it, which it would cut');
}

function readDelay(value: unknown, pointer: string, issues: Issue[]): number | number[] | undefined {
  if (!Array.isArray(value)) return readDuration(value, pointer, issues);
  if (value.length < 1 || value.length > MAX_DELAYS) {
    const message = `delay is a duration, or a list of 1 to ${MAX_DELAYS} of them`;
    issues.push({ pointer, code: 'invalid_value', message });
    return undefined;
  }
  const delays = value.map((one: unknown, index) => readDuration(one ?? null, `${pointer}/${index}`, issues));
  return delays.every((one) => one !== undefined) ? delays : undefined;
}

function readKinds(field: 'retryOn' | 'noRetryOn', fields: Fields, wrong: Wrong): string[] | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length > MAX_KINDS) {
    wrong(field, KINDS_RULE);
    return undefined;
  }
  const names = value.map(nameOf);
  for (const [index, name] of names.entries()) if (name === undefined) wrong(field, KINDS_RULE, index);
  return names.every((name) => name !== undefined) ? names : undefined;
}

function nameOf(kind: unknown): string | undefined {
  const name: unknown = typeof kind === 'function' ? kind.name : kind;
  return typeof name === 'string' && name.length >= 1 && name.length <= MAX_KIND ? name : undefined;
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
