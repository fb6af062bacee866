import { InvalidInputError, type Issue } from '@jetbeat/core';

/** Runs one reading; what it finds wrong joins the others. */
export function collect<Value>(issues: Issue[], read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}
