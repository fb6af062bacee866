import { describeIssues, type Issue } from '@jetbeat/core';
import { Errors } from 'typebox/schema';
import { explain, type Finding } from '../problems/explain.ts';
import { ApiError } from '../problems/problem.ts';
import { createBoundedRun } from './bounded-run.ts';

/**
 * Checks an input against the JSON Schema of its task; `pointer` is where the input stands in the request.
 * @throws ApiError overloaded, where the last input of the task took too long, and one of its patterns may have
 */
export type CheckInput = (
  task: { name: string; inputSchema?: unknown },
  input: unknown,
  pointer: string,
) => Issue[];

/**
 * The error for an input that does not fit its task. What is wrong with it tells of it.
 * @param instead the message for who may not see this input
 */
export function misfit(issues: readonly Issue[], instead: string | undefined): ApiError {
  if (instead !== undefined) return new ApiError('invalid_input', instead);
  return new ApiError('invalid_input', describeIssues(issues), { issues });
}

const MAX_SCHEMA_BYTES = 262_144;
const MAX_REMEMBERED = 1_000;

/** Of such schemas an input decides how long the check takes: patterns can backtrack, references come back to themselves. */
const WITHOUT_BOUND = /"(?:pattern|patternProperties|\$ref|\$dynamicRef|\$recursiveRef)":/;

/**
 * Others take as long as input times schema: where that is more than this, bytes of the one times bytes of the other, they have a limit, too.
 * Below it nothing that was tried took 0.1 s, be it alternatives, lists of values or nested ones. A limit costs 0.2 ms.
 */
const QUICK = 1_048_576;

/** How long a check may take: four times what the slowest that is linear was seen to. Milliseconds, and more for each KiB of input. */
const LIMIT_MS = 100;
const LIMIT_MS_PER_KIB = 1;
/** The same of what is merely large: ordinary lists take a third of it. */
const LARGE_MS_PER_KIB = 0.25;

/**
 * After a check that was ended its task has to wait for so many times as long: at most an eleventh of the process is lost to it. What is merely
 * large waits only where it is at least half as large: what is smaller may well be checked in time.
 */
const REST = 10;
const AS_LARGE = 0.5;

/**
 * Makes the check of inputs. Schemas come from workers: they are interpreted, never turned into code, and never for longer than a
 * limit. One that cannot be used is left alone, with a warning once; so is what is too large to be checked within its limit, and may well be
 * right: the worker checks the input again before it runs.
 */
export function createInputCheck(
  log: { warn(data: object, text: string): void },
  monotonic = () => performance.now(),
): CheckInput {
  const unusable = new Set<string>();
  const resting = new Map<string, Rest>();
  const boundedRun = createBoundedRun();
  const leaveAlone = (task: string, why: unknown) => {
    if (unusable.size < MAX_REMEMBERED && !unusable.has(task)) {
      unusable.add(task);
      log.warn({ task, err: why }, 'the input schema of this task cannot be used here');
    }
    return [];
  };
  const restOf = (task: string, size = Number.POSITIVE_INFINITY) => {
    const { until, from } = resting.get(task) ?? { until: 0, from: 0 };
    const restMs = until - monotonic();
    if (restMs <= 0) resting.delete(task);
    return size < from ? 0 : restMs;
  };
  const rest = (task: string, tookMs: number, size = 0) => {
    const before = resting.get(task);
    const oldest = before || resting.size < MAX_REMEMBERED ? undefined : resting.keys().next().value;
    if (oldest !== undefined) resting.delete(oldest);
    // One that is ended during the rest of a larger one makes it longer, so that what is lost stays within its share.
    const until = Math.max(before?.until ?? 0, monotonic()) + REST * tookMs;
    const from = Math.min(before?.from ?? Number.POSITIVE_INFINITY, size * AS_LARGE);
    resting.set(task, { until, from });
  };
  const checkBounded = (asked: Asked): Issue[] => {
    const { task, schema, input, kib, pointer } = asked;
    const restMs = restOf(task);
    if (restMs > 0) throw tookTooLong(task, restMs);
    const limitMs = Math.ceil(LIMIT_MS + LIMIT_MS_PER_KIB * kib);
    const run = boundedRun(limitMs, () => Errors(schema, input));
    if ('result' in run) return toIssues(run.result, asked);
    rest(task, run.tookMs);
    if (run.ended === 'not_served') throw tookTooLong(task, REST * run.tookMs);
    log.warn({ task, limitMs }, 'an input took too long to be checked: a pattern of this schema backtracks');
    const message = `could not be checked within ${limitMs} ms: a pattern of this task's schema backtracks on it`;
    return [{ pointer, code: 'invalid_value', message }];
  };
  const checkLarge = (asked: Asked): Issue[] => {
    const { task, schema, input, kib, size } = asked;
    if (restOf(task, size) > 0) return [];
    const limitMs = Math.ceil(LIMIT_MS + LARGE_MS_PER_KIB * kib);
    const run = boundedRun(limitMs, () => Errors(schema, input));
    if ('result' in run) return toIssues(run.result, asked);
    rest(task, run.tookMs, size);
    log.warn(
      { task, limitMs },
      'an input was too large to be checked in time, and is accepted: workers check it',
    );
    return [];
  };
  return ({ name, inputSchema }, input, pointer) => {
    if (inputSchema === undefined || inputSchema === true) return [];
    try {
      if (typeof inputSchema !== 'object' || inputSchema === null)
        throw new Error('it is no JSON Schema object');
      const text = JSON.stringify(inputSchema);
      if (text.length > MAX_SCHEMA_BYTES) throw new Error(`it is larger than ${MAX_SCHEMA_BYTES} bytes`);
      const bytes = JSON.stringify(input)?.length ?? 0;
      const size = bytes * text.length;
      const asked = { task: name, schema: inputSchema, input, kib: bytes / 1_024, size, pointer };
      if (WITHOUT_BOUND.test(text)) return checkBounded(asked);
      if (size > QUICK) return checkLarge(asked);
      return toIssues(Errors(inputSchema, input), asked);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      return leaveAlone(name, error);
    }
  };
}

/** For how long inputs of a task are not checked. */
interface Rest {
  /** Milliseconds of the same clock. */
  readonly until: number;
  /** Those of at least this size. */
  readonly from: number;
}

/** One input to be checked. */
interface Asked {
  readonly task: string;
  readonly schema: object;
  readonly input: unknown;
  readonly kib: number;
  /** Its bytes times those of the schema. */
  readonly size: number;
  /** Where it stands in the request. */
  readonly pointer: string;
}

function toIssues([fits, findings]: ReturnType<typeof Errors>, { schema, pointer }: Asked): Issue[] {
  return fits ? [] : explain(findings as Finding[], schema, pointer);
}

function tookTooLong(task: string, restMs: number): ApiError {
  const detail = `an input of task "${task}" took too long to be checked: its inputs are taken again in a moment`;
  return new ApiError('overloaded', detail, { retryAfter: Math.ceil(restMs / 1_000) });
}
