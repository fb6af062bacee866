import type { StoredError } from './errors.ts';
import type { Outcome, Reason } from './outcome.ts';
import { backoffBound, type RetryPolicy } from './policy.ts';

/** What becomes of a job after an attempt: it ends, or it is tried again. */
export type Next =
  | { readonly state: 'succeeded' | 'cancelled' }
  | { readonly state: 'dead'; readonly reason: Reason }
  | {
      readonly state: 'retrying';
      /** Number of the next attempt. */
      readonly attempt: number;
      /** Unix milliseconds; now or earlier means at once. */
      readonly runAt: number;
    };

/** What is known when an attempt has ended. */
export interface Ended {
  readonly outcome: Exclude<Outcome, 'lost'>;
  readonly attempt: number;
  readonly retry: RetryPolicy;
  readonly error?: StoredError | undefined;
  /** The delay that the handler asked for (`Retry`, `Snooze`), in milliseconds. */
  readonly delay?: number | undefined;
  /** Unix milliseconds. */
  readonly now: number;
  /** Evenly drawn from [0, 1), for jitter. */
  readonly random: number;
}

/**
 * Decides what follows an attempt. The number rises only by an outcome that is a failure: a snooze makes a new run of
 * the same attempt.
 */
export function decide(ended: Ended): Next {
  const { outcome, attempt, retry, now } = ended;
  switch (outcome) {
    case 'succeeded':
    case 'cancelled':
      return { state: outcome };
    case 'rejected':
      return dead('rejected', ended.error?.message ?? 'the handler rejected the job');
    case 'snoozed':
      return { state: 'retrying', attempt, runAt: now + (ended.delay ?? 0) };
    case 'failed':
    case 'timed-out':
      if (attempt >= retry.attempts) {
        const last = ended.error ? `: ${ended.error.name}: ${ended.error.message}` : '';
        return dead(
          'attempts_used_up',
          `attempt ${attempt} of ${retry.attempts} ${outcome}${last}`.slice(0, 1_024),
        );
      }
      return {
        state: 'retrying',
        attempt: attempt + 1,
        runAt: now + (ended.delay ?? drawDelay(retry, attempt, ended.random)),
      };
  }
}

/** Exponential backoff with full jitter (AWS architecture blog, "Exponential Backoff And Jitter"), whole milliseconds. */
function drawDelay(retry: RetryPolicy, attempt: number, random: number): number {
  const bound = backoffBound(retry, attempt);
  return Math.round(retry.jitter ? bound * random : bound);
}

function dead(code: string, text: string): Next {
  return { state: 'dead', reason: { code, text } };
}
