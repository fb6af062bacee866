import { expect, test } from 'vitest';
import { DEFAULT_POLICY, type RetryPolicy } from './policy.ts';
import { decide, type Ended, expiredReason, MAX_RUNS } from './retry.ts';

const NOW = Date.UTC(2026, 0, 1);
const base: Omit<Ended, 'retry'> = { outcome: 'failed', attempt: 1, run: 1, now: NOW, random: 0.5 };
const after = (change: Partial<Ended>, retry: Partial<RetryPolicy> = {}) =>
  decide({
    ...base,
    retry: { ...DEFAULT_POLICY.retry, backoff: 'fixed', jitter: false, ...retry },
    ...change,
  });

const kinds = ['HttpError', 'NetworkError', 'Error', 'ECONNRESET'];
const again = { state: 'retrying', attempt: 2, runAt: NOW + 5_000 };

test.each<[string, Partial<RetryPolicy>, boolean]>([
  ['nothing is said', {}, true],
  ['a class is named', { retryOn: ['NetworkError'] }, true],
  ['a code is named', { retryOn: ['ECONNRESET'] }, true],
  ['others are named', { retryOn: ['TypeError', 'EPIPE'] }, false],
  ['it is named as hopeless', { noRetryOn: ['HttpError'] }, false],
  ['its code is named as hopeless', { noRetryOn: ['E1', 'ECONNRESET'] }, false],
  ['others are named as hopeless', { noRetryOn: ['E1'] }, true],
  ['it is named as both', { retryOn: ['Error'], noRetryOn: ['HttpError'] }, false],
  ['nothing is hopeless', { retryOn: ['Error'], noRetryOn: [] }, true],
])('%s: %j', (_, retry, isRetried) => {
  for (const outcome of ['failed', 'timed-out'] as const) {
    const next = after({ outcome, kinds }, retry);
    if (isRetried) expect(next).toEqual(again);
    else expect(next).toMatchObject({ state: 'dead', reason: { code: 'not_retried' } });
  }
  // What the handler has said on purpose is tried again in any case.
  expect(after({ delay: 7 }, retry)).toEqual({ ...again, runAt: NOW + 7 });
});

test('the reason says which rule it was, and what was thrown', () => {
  const error = { name: 'HttpError', message: 'gone' };
  expect(after({ kinds, error }, { noRetryOn: ['NetworkError'] })).toMatchObject({
    reason: { text: 'attempt 1 of 4 failed, and noRetryOn names NetworkError: HttpError: gone' },
  });
  expect(after({ kinds, error }, { retryOn: ['E1'] })).toMatchObject({
    reason: { text: 'attempt 1 of 4 failed, and retryOn does not name it: HttpError: gone' },
  });
  // Also where no attempt is left: trying again would not have helped.
  expect(after({ kinds, attempt: 4 }, { noRetryOn: ['Error'] })).toMatchObject({
    reason: { code: 'not_retried' },
  });
});

test('a time may be named instead of a delay; one that is over means at once', () => {
  expect(after({ until: NOW + 60_000 })).toEqual({ ...again, runAt: NOW + 60_000 });
  expect(after({ outcome: 'snoozed', until: NOW + 60_000 })).toEqual({
    ...again,
    attempt: 1,
    runAt: NOW + 60_000,
  });
  expect(after({ outcome: 'snoozed', until: NOW - 1 })).toMatchObject({ runAt: NOW });
});

test('who snoozes for ever is dead in the end', () => {
  expect(after({ outcome: 'snoozed', run: MAX_RUNS - 1, delay: 1 })).toMatchObject({ state: 'retrying' });
  expect(after({ outcome: 'snoozed', run: MAX_RUNS, delay: 1 })).toMatchObject({
    state: 'dead',
    reason: { code: 'snoozed_too_often' },
  });
});

test('a run that would begin when the job has expired is not made, whatever it comes from', () => {
  const expired = {
    state: 'expired',
    reason: {
      code: 'expired',
      text: 'its next run would begin too late: it expired at 2026-01-01T00:00:05.000Z',
    },
  };
  const expiresAt = NOW + 5_000;
  expect(after({ expiresAt })).toEqual(expired);
  expect(after({ expiresAt: expiresAt + 1 })).toEqual(again);
  expect(after({ expiresAt, outcome: 'timed-out' })).toEqual(expired);
  expect(after({ expiresAt, outcome: 'snoozed', delay: 5_000 })).toEqual(expired);
  expect(after({ expiresAt, outcome: 'snoozed', delay: 4_999 })).toMatchObject({ state: 'retrying' });
  expect(after({ expiresAt, outcome: 'lost', run: 2, delay: 0 }, {})).toMatchObject({ state: 'retrying' });
  expect(after({ expiresAt: NOW + 1, outcome: 'lost' })).toMatchObject({ state: 'expired' });
  // What has come to an end has come to it in time.
  expect(after({ expiresAt: NOW - 1, outcome: 'succeeded' })).toEqual({ state: 'succeeded' });
  expect(after({ expiresAt, attempt: 4 })).toMatchObject({ state: 'dead' });
});

test('why a job has expired', () => {
  expect(expiredReason(NOW).text).toBe('it was not begun in time: it expired at 2026-01-01T00:00:00.000Z');
});
