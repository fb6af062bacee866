import type { Issue } from '../errors.ts';
import { readTaskRate } from '../limits/rate-input.ts';
import { readDuration } from '../read-fields.ts';
import { type CallbackInput, readCallbacks } from './callback-input.ts';
import { readConcurrency } from './concurrency.ts';
import type { PolicyOverrides } from './policy.ts';
import { readRetry } from './retry-input.ts';
import { readTimeout } from './timeout-input.ts';

/** The fields of a policy as somebody has written them. */
export interface PolicyFields {
  readonly retry?: unknown;
  readonly timeout?: unknown;
  readonly expires?: unknown;
  readonly onSuccess?: unknown;
  readonly onFailure?: unknown;
  readonly concurrencyKey?: unknown;
  readonly rateLimit?: unknown;
}

/** What a job calls when it has ended, as people write it: one callback or several. */
export type CallbacksInput = CallbackInput | readonly CallbackInput[];

/**
 * Reads what one layer says about retry, time limits, expiry (a duration), callbacks, a concurrency key and a rate. Nothing is thrown: every wrong place
 * is named.
 */
export function readPolicy(
  input: PolicyFields,
  pointer = '',
): { readonly policy: PolicyOverrides; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const retry = input.retry === undefined ? undefined : readRetry(input.retry, `${pointer}/retry`, issues);
  const timeout =
    input.timeout === undefined ? undefined : readTimeout(input.timeout, `${pointer}/timeout`, issues);
  const expires = readDuration(input.expires, `${pointer}/expires`, issues, 1);
  const onSuccess = readCallbacks(input.onSuccess, `${pointer}/onSuccess`, issues);
  const onFailure = readCallbacks(input.onFailure, `${pointer}/onFailure`, issues);
  const concurrency = readConcurrency(input.concurrencyKey, `${pointer}/concurrencyKey`, issues);
  const rate = readTaskRate(input.rateLimit, `${pointer}/rateLimit`, issues);
  return {
    policy: {
      ...(retry ? { retry } : {}),
      ...(timeout ? { timeout } : {}),
      ...(expires === undefined ? {} : { expires }),
      ...(onSuccess === undefined ? {} : { onSuccess }),
      ...(onFailure === undefined ? {} : { onFailure }),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(rate === undefined ? {} : { rate }),
    },
    issues,
  };
}
