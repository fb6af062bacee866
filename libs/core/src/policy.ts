/** When and how often a failed job is tried again. Times in milliseconds. */
export interface RetryPolicy {
  /** Total number of tries, the first included. */
  readonly attempts: number;
  readonly backoff: 'exponential';
  /** Delay before the second try. */
  readonly delay: number;
  readonly factor: number;
  /** Upper bound of one delay. */
  readonly max: number;
  /** Full jitter: a delay is drawn evenly between 0 and its bound. */
  readonly jitter: boolean;
}

/** Time limits of one attempt, in milliseconds: soft aborts the signal, hard ends the attempt. */
export interface TimeLimits {
  readonly soft?: number;
  readonly hard: number;
}

/** The part of a policy that a call or a task states; what it leaves out comes from the next layer. */
export interface PolicyOverrides {
  readonly retry?: Partial<RetryPolicy>;
  readonly timeout?: Partial<TimeLimits>;
}

/** What holds for one job after call, task and defaults were merged. */
export interface Policy {
  readonly retry: RetryPolicy;
  readonly timeout: TimeLimits;
}

/** What holds where neither the call nor the task says anything. */
export const DEFAULT_POLICY: Policy = {
  retry: { attempts: 4, backoff: 'exponential', delay: 5_000, factor: 2, max: 600_000, jitter: true },
  timeout: { hard: 3_600_000 },
};

/** How often a job may lose its worker before it is dead: a job that kills its workers must not kill them all. */
export const MAX_LOSSES = 5;

/** Merges layers, the first winning: per call, per task, defaults. */
export function resolvePolicy(...layers: readonly (PolicyOverrides | undefined)[]): Policy {
  const merged = [...layers].reverse().reduce<Policy>(
    (policy, layer) => ({
      retry: { ...policy.retry, ...layer?.retry },
      timeout: { ...policy.timeout, ...layer?.timeout },
    }),
    DEFAULT_POLICY,
  );
  const { soft, hard } = merged.timeout;
  // A soft limit of one layer may be longer than the hard limit of another; then only the hard one means something.
  return soft !== undefined && soft >= hard ? { ...merged, timeout: { hard } } : merged;
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
  return Math.min(retry.max, retry.delay * retry.factor ** (attempt - 1));
}
