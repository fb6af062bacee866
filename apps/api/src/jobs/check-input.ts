import { describeIssues, type Issue } from '@jetbeat/core';
import { Errors } from 'typebox/schema';
import { explain, type Finding } from '../problems/explain.ts';
import { ApiError } from '../problems/problem.ts';

/** Checks an input against the JSON Schema of its task; `pointer` is where the input stands in the request. */
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

/**
 * Makes the check of inputs. Schemas come from workers: they are interpreted, never turned into code. One that cannot be
 * used is left alone, with a warning once; the worker checks the input again before it runs.
 */
export function createInputCheck(log: { warn(data: object, text: string): void }): CheckInput {
  const unusable = new Set<string>();
  const leaveAlone = (task: string, why: unknown) => {
    if (unusable.size < MAX_REMEMBERED && !unusable.has(task)) {
      unusable.add(task);
      log.warn({ task, err: why }, 'the input schema of this task cannot be used here');
    }
    return [];
  };
  return ({ name, inputSchema }, input, pointer) => {
    if (inputSchema === undefined || inputSchema === true) return [];
    try {
      if (typeof inputSchema !== 'object' || inputSchema === null)
        throw new Error('it is no JSON Schema object');
      if (JSON.stringify(inputSchema).length > MAX_SCHEMA_BYTES)
        throw new Error(`it is larger than ${MAX_SCHEMA_BYTES} bytes`);
      const [fits, findings] = Errors(inputSchema, input);
      return fits ? [] : explain(findings as Finding[], inputSchema, pointer);
    } catch (error) {
      return leaveAlone(name, error);
    }
  };
}
