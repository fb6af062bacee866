import { parseDuration } from './duration.ts';
import type { InvalidInputError, Issue } from './errors.ts';
import { unknownFields } from './unknown-fields.ts';

/** Of fields that many take for a number or a text. */
const EXAMPLES: ReadonlyMap<string, string> = new Map([
  ['retry', '{"attempts": 3}'],
  ['timeout', '{"hard": "10s"}'],
  ['rateLimit', '{"limit": 10, "period": "1m"}'],
]);

/** The fields of an object, of which unknown ones are named; undefined, and named too, when it is none. */
export function fieldsOf(
  value: unknown,
  allowed: readonly string[],
  pointer: string,
  issues: Issue[],
): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const example = EXAMPLES.get(pointer.slice(pointer.lastIndexOf('/') + 1));
    const such = example === undefined ? '' : `, such as ${example}`;
    issues.push({
      pointer,
      code: 'invalid_value',
      message: `this is an object of ${allowed.join(', ')}${such}`,
    });
    return undefined;
  }
  issues.push(...unknownFields(value, allowed, pointer));
  return value as Readonly<Record<string, unknown>>;
}

/** Reads a duration of at least so many milliseconds; undefined where nothing is said, or it is named as wrong. */
export function readDuration(
  value: unknown,
  pointer: string,
  issues: Issue[],
  least = 0,
): number | undefined {
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
