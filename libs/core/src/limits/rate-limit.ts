/**
 * What the rate of a queue is counted for: all its jobs together, or those of each task or each concurrency key in it, whose task
 * says no rate itself.
 */
export const RATE_SCOPES = ['queue', 'task', 'key'] as const;
export type RateScope = (typeof RATE_SCOPES)[number];

/** So many starts in each period, evenly spread; up to `burst` of them at once. */
export interface RateLimit {
  readonly limit: number;
  /** Milliseconds. */
  readonly periodMs: number;
  /** At least 1. */
  readonly burst?: number;
  /** Default `queue`. */
  readonly per?: RateScope;
}
