import type { StoredError } from '../errors.ts';
import type { Outcome, Reason } from '../jobs/outcome.ts';
import { backoffBound, MAX_LOSSES, type RetryPolicy } from './policy.ts';

/** How long a job waits after a loss, milliseconds: what kills its child at once must not do so in a circle. */
const LOSS_DELAY_MS = 1_000;

/** What becomes of a job after an attempt: it ends, or it is tried again. */
export type Next =
  | { readonly state: 'succeeded' }
  /** `reason`: somebody has asked for it, and why. */
  | { readonly state: 'cancelled'; readonly reason?: Reason }
  | { readonly state: 'dead' | 'expired'; readonly reason: Reason }
  | {
      readonly state: 'retrying';
      /** Number of the next attempt. */
      readonly attempt: number;
      /** Unix milliseconds; now or earlier means at once. */
      readonly runAt: number;
      /** After a loss: how many there have been of this job, this one included. */
      readonly losses?: number;
    };

/** What is known when an attempt has ended. */
export interface Ended {
  readonly outcome: Outcome;
  readonly attempt: number;
  /** Ordinal of the run. */
  readonly run: number;
  readonly retry: RetryPolicy;
  readonly error?: StoredError | undefined;
  /** What `retryOn` and `noRetryOn` may name of the error; without it they say nothing. */
  readonly kinds?: readonly string[] | undefined;
  /** The delay that the handler asked for (`Retry`, `Snooze`), in milliseconds. */
  readonly delay?: number | undefined;
  /** The time that the handler asked for instead, Unix milliseconds. */
  readonly until?: number | undefined;
  /** When the job has to have begun a run, Unix milliseconds. */
  readonly expiresAt?: number | undefined;
  /** How often what ran the job has vanished before this. */
  readonly losses?: number | undefined;
  /** Unix milliseconds. */
  readonly now: number;
  /** Evenly drawn from [0, 1), for jitter. */
  readonly random: number;
}

/** The most runs of one job: who snoozes more often would wait for ever, and history could not tell them apart. */
export const MAX_RUNS = 100_000;

/**
 * Decides what follows an attempt. The number rises only by an outcome that is a failure: a snooze makes a new run of
 * the same attempt.
 */
export function decide(ended: Ended): Next {
  const { outcome, attempt, run } = ended;
  switch (outcome) {
    case 'succeeded':
    case 'cancelled':
      return { state: outcome };
    case 'rejected':
      return dead('rejected', ended.error?.message ?? 'the handler rejected the job');
    case 'snoozed':
      if (run >= MAX_RUNS) return dead('snoozed_too_often', `it has run ${run} times without an end`);
      return again(ended, attempt, ended.delay ?? 0);
    case 'lost':
      return afterLoss(ended);
    case 'failed':
    case 'timed-out':
      return afterFailure(ended);
  }
}

function afterFailure(ended: Ended): Next {
  const { outcome, attempt, retry, error } = ended;
  const of = `attempt ${attempt} of ${retry.attempts} ${outcome}`;
  const last = error ? `: ${error.name}: ${error.message}` : '';
  const why = whyNotRetried(retry, ended.kinds);
  if (why !== undefined) return dead('not_retried', `${of}, and ${why}${last}`);
  if (attempt >= retry.attempts) return dead('attempts_used_up', `${of}${last}`);
  return again(ended, attempt + 1, ended.delay ?? drawDelay(retry, attempt, ended.random));
}

/**
 * A loss that the job's own worker tells of: a child of it has died. It counts as one that the recorder finds, against the
 * same bound, and uses up no attempt.
 */
function afterLoss(ended: Ended): Next {
  const { attempt, error, losses: before = 0 } = ended;
  const losses = before + 1;
  if (losses > MAX_LOSSES) {
    const last = error ? `, the last time: ${error.message}` : '';
    return dead('lost_too_often', `what ran it vanished ${losses} times${last}`);
  }
  const next = again(ended, attempt, LOSS_DELAY_MS);
  return next.state === 'retrying' ? { ...next, losses } : next;
}

/** Why an error of these kinds is not tried again; undefined when it is. */
function whyNotRetried(
  { retryOn, noRetryOn }: Pick<RetryPolicy, 'retryOn' | 'noRetryOn'>,
  kinds: readonly string[] | undefined,
): string | undefined {
  if (kinds === undefined) return undefined;
  const named = noRetryOn?.find((name) => kinds.includes(name));
  if (named !== undefined) return `noRetryOn names ${named}`;
  if (retryOn === undefined || retryOn.some((name) => kinds.includes(name))) return undefined;
  return 'retryOn does not name it';
}

function again({ now, until, expiresAt }: Ended, attempt: number, delay: number): Next {
  const runAt = until === undefined ? now + delay : Math.max(now, until);
  if (expiresAt !== undefined && runAt >= expiresAt) {
    return { state: 'expired', reason: expiredReason(expiresAt, 'its next run would begin too late') };
  }
  return { state: 'retrying', attempt, runAt };
}

/**
 * What follows an attempt whose job was cancelled while it ran: it is not run again. What it came to before that could stop it
 * stands: a success, and a death.
 */
export function whenCancelled(next: Next, why: string): Next {
  if (next.state === 'succeeded' || next.state === 'dead') return next;
  return { state: 'cancelled', reason: cancelledReason(why) };
}

/** Why a job is cancelled, in the words of whoever asked for it. */
export function cancelledReason(why: string): Reason {
  return { code: 'cancelled', text: why };
}

/** Why a job has expired. */
export function expiredReason(expiresAt: number, why = 'it was not begun in time'): Reason {
  return { code: 'expired', text: `${why}: it expired at ${new Date(expiresAt).toISOString()}` };
}

/** Full jitter (AWS architecture blog, "Exponential Backoff And Jitter"), whole milliseconds. */
function drawDelay(retry: RetryPolicy, attempt: number, random: number): number {
  const bound = backoffBound(retry, attempt);
  return Math.round(retry.jitter ? bound * random : bound);
}

function dead(code: string, text: string): Next {
  return { state: 'dead', reason: { code, text: text.slice(0, 1_024) } };
}
