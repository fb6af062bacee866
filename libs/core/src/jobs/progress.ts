import { InvalidInputError, type Issue } from '../errors.ts';

/** How far a handler says that it is. */
export interface Progress {
  /** From 0 to 100. */
  readonly value: number;
  /** A few words for people. */
  readonly note?: string;
}

/** What history knows of a job's progress. */
export interface JobProgress extends Progress {
  /** Ordinal of the run that said so. */
  readonly run: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/** The longest note, in characters; the rest of a longer one is left out. */
export const MAX_PROGRESS_NOTE = 1_024;

/**
 * Reads what a handler says of its progress.
 * @throws InvalidInputError for a value that is no number from 0 to 100, and for a note that is no text
 */
export function readProgress(value: unknown, note?: unknown): Progress {
  const issues: Issue[] = [];
  const wrong = (field: string, message: string) =>
    issues.push({ pointer: `/${field}`, code: 'invalid_value', message });
  if (!(typeof value === 'number' && value >= 0 && value <= 100))
    wrong('value', `progress is a number from 0 to 100, not ${String(value).slice(0, 64)}`);
  if (note !== undefined && typeof note !== 'string') wrong('note', 'the note of a progress is a text');
  const [first] = issues;
  if (first) throw new InvalidInputError(first.message, issues);
  const text = note as string | undefined;
  return {
    value: value as number,
    ...(text === undefined ? {} : { note: text.slice(0, MAX_PROGRESS_NOTE) }),
  };
}

/** The one that was said last: of a later run, or later in the same. */
export function lastProgress(
  before: JobProgress | undefined,
  after: JobProgress | undefined,
): JobProgress | undefined {
  if (!before || !after) return before ?? after;
  return after.run > before.run || (after.run === before.run && after.at >= before.at) ? after : before;
}
