import { describeIssues, type Issue } from '@jetbeat/core';
import { Errors } from 'typebox/schema';
import { explain, type Finding } from '../problems/explain.ts';
import { ApiError } from '../problems/problem.ts';
import { createBoundedRun } from './bounded-run.ts';

/**
 * Checks an input against the JSON Schema of its task; `pointer` is where the input stands in the request.
 * @throws ApiError overloaded, where the last input of the task took too long
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

/** How long a check may take: four times what the slowest that is linear was seen to. Milliseconds, and more for each KiB of input. */
const LIMIT_MS = 100;
const LIMIT_MS_PER_KIB = 1;

/** After a check that was ended its task has to wait for so many times as long: at most an eleventh of the process is lost to it. */
const REST = 10;

/**
 * Makes the check of inputs. Schemas come from workers: they are interpreted, never turned into code, and never for longer than a
 * limit. One that cannot be used is left alone, with a warning once; the worker checks the input again before it runs.
 */
export function createInputCheck(
  log: { warn(data: object, text: string): void },
  monotonic = () => performance.now(),
): CheckInput {
  const unusable = new Set<string>();
  const resting = new Map<string, number>();
  const boundedRun = createBoundedRun();
  const leaveAlone = (task: string, why: unknown) => {
    if (unusable.size < MAX_REMEMBERED && !unusable.has(task)) {
      unusable.add(task);
      log.warn({ task, err: why }, 'the input schema of this task cannot be used here');
    }
    return [];
  };
  const mayTry = (task: string) => {
    const restMs = (resting.get(task) ?? 0) - monotonic();
    if (restMs > 0) throw tookTooLong(task, restMs);
    resting.delete(task);
  };
  const rest = (task: string, tookMs: number) => {
    const oldest = resting.size < MAX_REMEMBERED ? undefined : resting.keys().next().value;
    if (oldest !== undefined) resting.delete(oldest);
    resting.set(task, monotonic() + REST * tookMs);
  };
  const checkBounded = (task: string, schema: object, input: unknown, pointer: string): Issue[] => {
    mayTry(task);
    const kib = (JSON.stringify(input)?.length ?? 0) / 1_024;
    const limitMs = Math.ceil(LIMIT_MS + LIMIT_MS_PER_KIB * kib);
    const run = boundedRun(limitMs, () => Errors(schema, input));
    if ('result' in run) return toIssues(run.result, schema, pointer);
    rest(task, run.tookMs);
    if (run.ended === 'not_served') throw tookTooLong(task, REST * run.tookMs);
    log.warn({ task, limitMs }, 'an input took too long to be checked: a pattern of this schema backtracks');
    const message = `could not be checked within ${limitMs} ms: a pattern of this task's schema backtracks on it`;
    return [{ pointer, code: 'invalid_value', message }];
  };
  return ({ name, inputSchema }, input, pointer) => {
    if (inputSchema === undefined || inputSchema === true) return [];
    try {
      if (typeof inputSchema !== 'object' || inputSchema === null)
        throw new Error('it is no JSON Schema object');
      const text = JSON.stringify(inputSchema);
      if (text.length > MAX_SCHEMA_BYTES) throw new Error(`it is larger than ${MAX_SCHEMA_BYTES} bytes`);
      if (WITHOUT_BOUND.test(text)) return checkBounded(name, inputSchema, input, pointer);
      return toIssues(Errors(inputSchema, input), inputSchema, pointer);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      return leaveAlone(name, error);
    }
  };
}

function toIssues([fits, findings]: ReturnType<typeof Errors>, schema: object, pointer: string): Issue[] {
  return fits ? [] : explain(findings as Finding[], schema, pointer);
}

function tookTooLong(task: string, restMs: number): ApiError {
  const detail = `an input of task "${task}" took too long to be checked: its inputs are taken again in a moment`;
  return new ApiError('overloaded', detail, { retryAfter: Math.ceil(restMs / 1_000) });
}
