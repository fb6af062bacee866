import { JetbeatError } from '@jetbeat/core';
import { ValidationError } from '@mikro-orm/core';
import { EDITS_BOUND } from '../migrations/bounded-edits.ts';

/** PostgreSQL cannot be reached, went away in the middle, or did not answer in time. Repeating later is safe. */
export class DatabaseUnavailableError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('database_unavailable', message, options);
  }
}

/** Somebody else's transaction keeps a migration from the locks that it needs; the message says whose. */
export class MigrationBlockedError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('migration_blocked', message, options);
  }
}

/** The name or id is taken by something else. */
export class ConflictError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('conflict', message, options);
  }
}

/** A schedule was changed so often while no scheduler planned it that no more is kept of it; the message says what to do. Nothing was changed. */
export class TooManyEditsError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('too_many_edits', message, options);
  }
}

/** There are as many queues as there may be; the message says what to do. Nothing was changed. */
export class TooManyQueuesError extends JetbeatError {
  constructor(most: number) {
    super(
      'too_many_queues',
      `there are ${most} queues, which are as many as may be: take one that is there, or delete one`,
    );
  }
}

/** Jobs cannot be looked for now, or not so; the message says what to do. Nothing was changed. */
export class SearchRefusedError extends JetbeatError {
  declare readonly code: 'too_many_searches' | 'search_too_slow';

  constructor(code: SearchRefusedError['code'], message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/** PostgreSQL is there, but even a few jobs take too long. */
export function searchTooSlow(cause: unknown): SearchRefusedError {
  return new SearchRefusedError(
    'search_too_slow',
    'the jobs take too long to be looked into: say more of them, such as their state, queue, task or time',
    { cause },
  );
}

/** A value is not of the type of its column: trying it again can never help. */
export class UnfitValueError extends JetbeatError {
  constructor(type: string, value: unknown) {
    super('unfit_value', `${String(value).slice(0, 100)} is no ${type}`);
  }
}

/**
 * Classes of SQLSTATE that pass by themselves: connection, resources, rollback, operator intervention, system error;
 * 55P03 is a lock that was not got in time. https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
const TEMPORARY = /^(?:08|40|53|57|58|55P03)/;
/** serialization_failure and deadlock_detected: the transaction may simply be run again. */
const REPEATABLE = /^40(?:001|P01)$/;
/** Invalid authorization, and a database that is not there. */
const REFUSED = /^(?:28|3D)/;
const UNIQUE_VIOLATION = '23505';
const QUERY_CANCELED = '57014';
/** lock_not_available, and query_canceled, which here is a statement that took too long for its locks. */
const LOCK_TIMEOUT = /^(?:55P03|57014)$/;

/** Whether the transaction lost against another one, and would succeed when run again. */
export function isRepeatable(thrown: unknown): boolean {
  return REPEATABLE.test(sqlStateOf(thrown) ?? '');
}

/** Whether a lock was not got in time. */
export function isLockTimeout(thrown: unknown): boolean {
  const cause = thrown instanceof DatabaseUnavailableError ? thrown.cause : thrown;
  return LOCK_TIMEOUT.test(sqlStateOf(cause) ?? '');
}

/** Whether a statement was given up because it took longer than it was allowed to. */
export function isTooSlow(thrown: unknown): boolean {
  const cause = thrown instanceof DatabaseUnavailableError ? thrown.cause : thrown;
  return sqlStateOf(cause) === QUERY_CANCELED;
}

/** Whether a unique constraint refused a row. */
export function isUniqueViolation(thrown: unknown): boolean {
  return sqlStateOf(thrown) === UNIQUE_VIOLATION;
}

/** Whether the server has answered with an error and is still there, so that the connection can be used further. */
export function isAnswer(thrown: unknown): boolean {
  const state = sqlStateOf(thrown);
  return state !== undefined && !/^(?:08|57P)/.test(state);
}

/** Turns what callers can act on into an error of ours: what passes by itself, and an edit too many; everything else stays what it is. */
export function toDatabaseError(thrown: unknown): unknown {
  const { constraint, message } = (thrown ?? {}) as { constraint?: unknown; message?: unknown };
  if (constraint === EDITS_BOUND) return new TooManyEditsError(String(message), { cause: thrown });
  return TEMPORARY.test(sqlStateOf(thrown) ?? '') ? unavailable(thrown) : thrown;
}

/** The same where it cannot be seen whether an error came from the socket: all that is no mistake of ours did. */
export function toEntityError(thrown: unknown): unknown {
  const ours =
    thrown instanceof JetbeatError || thrown instanceof ValidationError || isProgrammingError(thrown);
  return ours || sqlStateOf(thrown) !== undefined ? toDatabaseError(thrown) : unavailable(thrown);
}

/** Any failure to get a connection: the configuration may be wrong too, hence the cause in the text. */
export function unavailable(cause: unknown): DatabaseUnavailableError {
  const text = cause instanceof Error && cause.message !== '' ? cause.message : codeOf(cause);
  // The driver has no code for this.
  if (text?.includes('client password must be a string')) {
    return new DatabaseUnavailableError(
      'PostgreSQL asks for a password, and its address has none: set JETBEAT_DATABASE_URL to postgres://user:password@host:port/database',
    );
  }
  const what = REFUSED.test(sqlStateOf(cause) ?? '')
    ? `PostgreSQL refuses the connection: ${text}; check JETBEAT_DATABASE_URL`
    : `PostgreSQL does not answer: ${text ?? 'unknown cause'}`;
  return new DatabaseUnavailableError(what, { cause });
}

/** Errors of the server carry a severity; those of the socket or of the driver do not. */
function sqlStateOf(thrown: unknown): string | undefined {
  const severity = (thrown as { severity?: unknown } | null)?.severity;
  return typeof severity === 'string' ? codeOf(thrown) : undefined;
}

function codeOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

function isProgrammingError(thrown: unknown): boolean {
  return thrown instanceof TypeError || thrown instanceof RangeError || thrown instanceof ReferenceError;
}
