import type { TaskRate } from '../limits/rate-input.ts';
import type { Callbacks } from './callback.ts';
import type { Concurrency } from './concurrency.ts';

/** How the delays between the tries of a job grow. */
export const BACKOFFS = ['fixed', 'linear', 'exponential'] as const;
/** How the delays between the tries of a job grow. */
export type Backoff = (typeof BACKOFFS)[number];

/** When and how often a failed job is tried again. Times in milliseconds. */
export interface RetryPolicy {
  /** Total number of tries, the first included. */
  readonly attempts: number;
  /** `fixed`: always `delay`; `linear`: `delay` times the number of the try; `exponential`: times `factor` each time. */
  readonly backoff: Backoff;
  /** Delay before the second try; or all delays one after the other, of which the last repeats. */
  readonly delay: number | readonly number[];
  /** For `exponential`. */
  readonly factor: number;
  /** Upper bound of one delay. */
  readonly max: number;
  /** Full jitter: a delay is drawn evenly between 0 and its bound. */
  readonly jitter: boolean;
  /** Class names and codes: nothing else is tried again. */
  readonly retryOn?: readonly string[];
  /** Class names and codes of what is never tried again; wins over `retryOn`. */
  readonly noRetryOn?: readonly string[];
}

/** Time limits of one attempt, in milliseconds: soft aborts the signal, hard ends the attempt. */
export interface TimeLimits {
  readonly soft?: number;
  readonly hard: number;
}

/** The part of a policy that one layer states; what it leaves out comes from the next layer. */
export interface PolicyOverrides extends Callbacks {
  readonly retry?: Partial<RetryPolicy>;
  readonly timeout?: Partial<TimeLimits>;
  /** The job is to begin within so long of its run time, in milliseconds. */
  readonly expires?: number;
  /** How many jobs with this key run at once. What a task says, or the configuration of one, is a template (`keyFor`). */
  readonly concurrency?: Concurrency;
  /** How many of its jobs begin in a time; only a task says it, or the configuration of one. */
  readonly rate?: TaskRate;
}

/** What holds for one job after all layers were merged. */
export interface Policy {
  readonly retry: RetryPolicy;
  readonly timeout: TimeLimits;
}

/** What holds where no layer says anything. */
export const DEFAULT_POLICY: Policy = {
  retry: { attempts: 4, backoff: 'exponential', delay: 5_000, factor: 2, max: 600_000, jitter: true },
  timeout: { hard: 3_600_000 },
};

/** How often a job may lose its worker before it is dead: a job that kills its workers must not kill them all. */
export const MAX_LOSSES = 5;

/** Merges layers, the first winning: call, configuration of the task, task, configured defaults; below them the built-in ones. */
export function resolvePolicy(...layers: readonly (PolicyOverrides | undefined)[]): Policy {
  const merged = layers.toReversed().reduce<Pick<PolicyOverrides, 'retry' | 'timeout'>>(
    (below, layer) => ({
      retry: mergeRetry(below.retry, layer?.retry),
      timeout: { ...below.timeout, ...layer?.timeout },
    }),
    {},
  );
  const { soft, hard = DEFAULT_POLICY.timeout.hard } = merged.timeout ?? {};
  return {
    retry: completeRetry(merged.retry ?? {}),
    // A soft limit of one layer may be longer than the hard limit of another; then only the hard one means something.
    timeout: soft !== undefined && soft < hard ? { soft, hard } : { hard },
  };
}

/** A layer that says how delays grow, and no delay, means it also above a list: it counts from the first of them. */
function mergeRetry(
  below: Partial<RetryPolicy> | undefined,
  above: Partial<RetryPolicy> | undefined,
): Partial<RetryPolicy> {
  const merged = { ...below, ...above };
  const grows = above?.delay === undefined && (above?.backoff !== undefined || above?.factor !== undefined);
  return grows && typeof merged.delay === 'object' ? { ...merged, delay: merged.delay[0] ?? 0 } : merged;
}

/**
 * Fills in what no layer has said. The built-in bound cuts no delay that somebody has asked for, and only delays that
 * double by themselves are jittered unasked: who writes `fixed`, `linear` or a list means these delays.
 */
function completeRetry(stated: Partial<RetryPolicy>): RetryPolicy {
  const merged = { ...DEFAULT_POLICY.retry, ...stated };
  const delays = typeof merged.delay === 'object' ? merged.delay : [merged.delay];
  return {
    ...merged,
    max: stated.max ?? Math.max(merged.max, ...delays),
    jitter: stated.jitter ?? (merged.backoff === 'exponential' && typeof merged.delay === 'number'),
  };
}

/** The longest that a job can take from its run time to its end by its own policy, in milliseconds. */
export function totalLimit(policy: Policy): number {
  const { attempts } = policy.retry;
  let total = attempts * policy.timeout.hard;
  for (let attempt = 1; attempt < attempts; attempt++) total += backoffBound(policy.retry, attempt);
  return total;
}

/** The upper bound of the delay after the failed attempt with this number, in milliseconds. */
export function backoffBound(retry: RetryPolicy, attempt: number): number {
  return Math.min(retry.max, unbounded(retry, attempt));
}

function unbounded({ backoff, delay, factor }: RetryPolicy, attempt: number): number {
  if (typeof delay === 'object') return delay[Math.min(attempt, delay.length) - 1] ?? 0;
  if (backoff === 'fixed') return delay;
  if (backoff === 'linear') return delay * attempt;
  // 0 times a factor that has grown beyond all numbers is none.
  return delay === 0 ? 0 : delay * factor ** (attempt - 1);
}
