import { describeIssues, InvalidInputError } from '@jetbeat/core';
import { BusClosedError, JetStreamCallError, QueuesUnmadeError, ServerUnfitError } from '@jetbeat/jetstream';
import {
  DatabaseUnavailableError,
  SearchRefusedError,
  TooManyEditsError,
  TooManyQueuesError,
} from '@jetbeat/postgres';
import { BODY_LIMIT } from '../requests/body-limit.ts';
import { ApiError, type ProblemCode } from './problem.ts';

/** What Fastify itself refuses, by the status it gives. */
const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed_request',
  404: 'route_not_found',
  413: 'payload_too_large',
  414: 'malformed_request',
  415: 'unsupported_media_type',
  431: 'malformed_request',
  503: 'overloaded',
};

/** What Fastify says too briefly, or of another cause. */
const TEXTS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'send JSON, with the header "Content-Type: application/json"',
};
const TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

/**
 * Finds the problem of the catalogue for anything that was thrown; what is not known is an internal error and tells nothing.
 * @param bodyLimit bytes that the request may have
 */
export function toApiError(thrown: unknown, bodyLimit = BODY_LIMIT): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const known = ofDatabase(thrown) ?? ofMessaging(thrown);
  if (known) return known;
  if (thrown instanceof InvalidInputError) {
    return new ApiError('invalid_request', describeIssues(thrown.issues), {
      issues: thrown.issues,
      cause: thrown,
    });
  }
  const { statusCode, code, message } = (thrown ?? {}) as {
    statusCode?: unknown;
    code?: unknown;
    message?: unknown;
  };
  const refused = typeof statusCode === 'number' ? BY_STATUS[statusCode] : undefined;
  // Only errors of the framework carry a status that a caller caused.
  if (refused && code === TOO_LARGE) {
    const instead = bodyLimit === BODY_LIMIT ? ': give a reference instead of the data' : '';
    return new ApiError(refused, `the body is larger than ${bodyLimit} bytes${instead}`, { cause: thrown });
  }
  if (refused && typeof code === 'string' && code.startsWith('FST_'))
    return new ApiError(refused, TEXTS[code] ?? String(message), { cause: thrown });
  if (refused && thrown instanceof SyntaxError)
    return new ApiError(refused, `the body is no JSON: ${thrown.message}`, { cause: thrown });
  return new ApiError(
    'internal_error',
    'the request could not be answered; the log has the cause under this trace id',
    { cause: thrown },
  );
}

function ofDatabase(thrown: unknown): ApiError | undefined {
  if (thrown instanceof DatabaseUnavailableError) {
    const message =
      'PostgreSQL did not answer; what was asked may have been done all the same, so look before you repeat it';
    return new ApiError('database_unavailable', message, { retryAfter: 2, cause: thrown });
  }
  if (thrown instanceof TooManyEditsError)
    return new ApiError('too_many_edits', thrown.message, { cause: thrown });
  if (thrown instanceof TooManyQueuesError)
    return new ApiError('too_many_queues', thrown.message, { cause: thrown });
  if (thrown instanceof SearchRefusedError) {
    const isBusy = thrown.code === 'too_many_searches';
    return new ApiError(isBusy ? 'overloaded' : 'timed_out', thrown.message, {
      retryAfter: 1,
      ...(isBusy ? { counted: 'searches' } : {}),
      cause: thrown,
    });
  }
  return undefined;
}

function ofMessaging(thrown: unknown): ApiError | undefined {
  if (thrown instanceof JetStreamCallError || thrown instanceof BusClosedError) {
    const message = 'NATS did not answer on the way; repeat the request';
    return new ApiError('messaging_unavailable', message, { retryAfter: 5, cause: thrown });
  }
  if (thrown instanceof ServerUnfitError) {
    const code = thrown instanceof QueuesUnmadeError ? 'queue_unmade' : 'messaging_unavailable';
    return new ApiError(code, thrown.message, { retryAfter: 60, cause: thrown });
  }
  return undefined;
}
