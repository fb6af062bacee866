import { AuthorizationResponseError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';
import { ApiError } from '../problems/problem.ts';
import { ProviderAwayError } from './bounded-fetch.ts';
import { ProviderWrongError } from './provider.ts';

/** What is told of a sign-in that came to nothing, and what is logged: neither has a token, a code or a text that others have written. */
export interface FailedSignIn {
  readonly error: ApiError;
  /** For who runs the installation. */
  readonly why: string;
}

/** The provider says itself that it cannot now (RFC 6749 §4.1.2.1). */
const LATER: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error']);
/** What was brought back is not what was begun, whoever has changed it. */
const CHANGED: ReadonlySet<string> = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
]);
const TOO_LATE: ReadonlySet<string> = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT']);
/** Seconds. */
const RETRY_AFTER = 5;

/** Words of a protocol, such as `invalid_grant`. */
const WORD = /^[\w.-]{1,64}$/;

/** Says what became of a sign-in with the provider; undefined for what is a mistake of ours. */
export function failedSignIn(thrown: unknown): FailedSignIn | undefined {
  if (thrown instanceof ApiError) return { error: thrown, why: thrown.code };
  if (thrown instanceof ProviderWrongError) return { error: wrong(), why: thrown.message };
  return neverAnswered(thrown) ?? saidByProvider(thrown) ?? notAccepted(thrown);
}

function neverAnswered(thrown: unknown): FailedSignIn | undefined {
  const { cause } = (thrown ?? {}) as { cause?: unknown };
  const away = [thrown, cause].find((one) => one instanceof ProviderAwayError);
  return away && { error: unavailable(), why: reasonOf(away) };
}

function saidByProvider(thrown: unknown): FailedSignIn | undefined {
  if (thrown instanceof AuthorizationResponseError) {
    const word = wordOf(thrown.error);
    return { error: LATER.has(word) ? unavailable() : refused(word), why: `the provider says ${word}` };
  }
  if (thrown instanceof ResponseBodyError) {
    const word = wordOf(thrown.error);
    // A code that was used already, is too old, or was given to another sign-in.
    const error = word === 'invalid_grant' ? notBegunHere() : LATER.has(word) ? unavailable() : wrong();
    return { error, why: `the provider says ${word} of this installation (${thrown.status})` };
  }
  if (thrown instanceof WWWAuthenticateChallengeError) {
    const why = `the provider does not take what this installation shows (${thrown.status}): look at api.oidc.clientSecret and scopes`;
    return { error: wrong(), why };
  }
  return undefined;
}

/** What the library finds wrong, and the library below it. */
function notAccepted(thrown: unknown): FailedSignIn | undefined {
  const { code } = (thrown ?? {}) as { code?: unknown };
  if (!(thrown instanceof Error) || typeof code !== 'string' || !code.startsWith('OAUTH_')) return undefined;
  if (TOO_LATE.has(code)) return { error: unavailable(), why: thrown.message };
  return { error: CHANGED.has(code) ? notBegunHere() : wrong(), why: `${code}: ${thrown.message}` };
}

/** Also said of what was never begun. */
export function notBegunHere(): ApiError {
  const message =
    'this sign-in was not begun in this browser, was ended already, or took longer than 10 minutes: begin again';
  return new ApiError('sign_in_failed', message);
}

/** Also said where it takes too long in all. */
export function unavailable(): ApiError {
  const message = 'whom people sign in with does not answer: try again later, or sign in with a key';
  return new ApiError('provider_unavailable', message, { retryAfter: RETRY_AFTER });
}

function refused(word: string): ApiError {
  return new ApiError('sign_in_refused', `whom people sign in with has refused it (${word}): begin again`);
}

/** Also said of what the library takes, and this API does not. */
export function wrong(): ApiError {
  const message =
    'whom people sign in with answers what cannot be accepted: the log of the API has the cause under this trace id';
  return new ApiError('provider_wrong', message);
}

function wordOf(error: unknown): string {
  return typeof error === 'string' && WORD.test(error) ? error : 'nothing that can be read';
}

function reasonOf({ message, cause }: Error): string {
  const inner = (cause as { cause?: { code?: unknown } } | undefined)?.cause?.code;
  return typeof inner === 'string' ? `${message} (${inner})` : message;
}
