/** One place in a request or a file that is wrong, as RFC 9457 problem details carry it. */
export interface Issue {
  /** JSON pointer (RFC 6901) to the value, `''` for the whole. */
  readonly pointer: string;
  /** A stable word for the cause, e.g. `unknown_field`. */
  readonly code: string;
  readonly message: string;
  /** What was probably meant, where that can be told. */
  readonly suggestion?: string;
}

/** One sentence for many issues: the first three in full, the rest by number. */
export function describeIssues(issues: readonly Issue[]): string {
  const shown = issues
    .slice(0, 3)
    .map(({ pointer, message }) => (pointer ? `${pointer}: ${message}` : message));
  const rest = issues.length > 3 ? ` (and ${issues.length - 3} more)` : '';
  return shown.join('; ') + rest;
}

/** Base of every error that Jetbeat raises on purpose: callers tell causes apart by `code`, never by text. */
export class JetbeatError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Input that cannot be accepted; `issues` names every place and what to do about it. */
export class InvalidInputError extends JetbeatError {
  readonly issues: readonly Issue[];

  constructor(message: string, issues: readonly Issue[], options?: { cause?: unknown }) {
    super('invalid_input', message, options);
    this.issues = issues;
  }
}

/** A message on the wire that is not what this version writes; it becomes a dead letter, never a crash. */
export class MalformedMessageError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('malformed_message', message, options);
  }
}

/** An error as it is kept in history: survives JSON, bounded in size. */
export interface StoredError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

const MAX_MESSAGE = 4_096;
const MAX_STACK = 16_384;

/** Turns anything that was thrown into its stored form (message at most 4 Ki characters, stack 16 Ki). */
export function toStoredError(thrown: unknown): StoredError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown).slice(0, MAX_MESSAGE) };
  }
  const code = (thrown as { code?: unknown }).code;
  return {
    name: thrown.name,
    message: thrown.message.slice(0, MAX_MESSAGE),
    ...(typeof code === 'string' ? { code } : {}),
    ...(thrown.stack === undefined ? {} : { stack: thrown.stack.slice(0, MAX_STACK) }),
  };
}
