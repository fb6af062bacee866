import { AuthorizationResponseError, ClientError } from 'openid-client';
import { expect, test } from 'vitest';
import { ApiError } from '../problems/problem.ts';
import { ProviderAwayError } from './bounded-fetch.ts';
import { failedSignIn } from './oidc-error.ts';

const said = (error: string) =>
  new AuthorizationResponseError('refused', {
    cause: new URLSearchParams({ error, error_description: '<script>' }),
  });

test.each([
  [said('access_denied'), 'sign_in_refused', 'the provider says access_denied'],
  [said('temporarily_unavailable'), 'provider_unavailable', 'the provider says temporarily_unavailable'],
  [said('<b>\n'), 'sign_in_refused', 'the provider says nothing that can be read'],
  [new ProviderAwayError('gone'), 'provider_unavailable', 'gone'],
  [new ClientError('wrapped', { cause: new ProviderAwayError('gone') }), 'provider_unavailable', 'gone'],
  [new ApiError('not_invited', 'no'), 'not_invited', 'not_invited'],
])('%s: %s', (thrown, code, why) => {
  const failed = failedSignIn(thrown);
  expect([failed?.error.code, failed?.why]).toEqual([code, why]);
  expect(failed?.error.message).not.toMatch(/[<>]/);
});

test.each([
  ['OAUTH_TIMEOUT', 'provider_unavailable'],
  ['OAUTH_INVALID_RESPONSE', 'sign_in_failed'],
  ['OAUTH_JWT_CLAIM_COMPARISON_FAILED', 'sign_in_failed'],
  ['OAUTH_JWT_TIMESTAMP_CHECK_FAILED', 'provider_wrong'],
])('%s of the library: %s', (code, expected) => {
  const thrown = Object.assign(new Error('as the library says it'), { code });
  expect(failedSignIn(thrown)?.error.code).toBe(expected);
});

test.each([
  new TypeError('a mistake of ours'),
  'a text',
  null,
  Object.assign(new Error('x'), { code: 'ENOENT' }),
])('a mistake of ours stays one: %s', (thrown) => {
  expect(failedSignIn(thrown)).toBeUndefined();
});
