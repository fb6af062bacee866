import type { Outcome, StoredError } from '@jetbeat/core';

/** How an attempt ended. */
export interface Execution {
  /** `lost`: the thread or child process that it ran in has ended. */
  readonly outcome: Outcome;
  /** Plain data of any size; whoever publishes the event cuts what is too much. */
  readonly result?: unknown;
  readonly error?: StoredError;
  /** What `retryOn` and `noRetryOn` may name of the error; only of failures, and not where the handler said what follows. */
  readonly kinds?: readonly string[];
  /** Milliseconds until the next run, where the handler said so. */
  readonly delay?: number;
  /** The time of the next run, where the handler said so, Unix milliseconds. */
  readonly until?: number;
  /** The hard limit has passed and the handler still runs; nobody waits for it any more. */
  readonly abandoned?: true;
  /** It was stopped from outside, and not by a cancel: the job should be given back rather than counted as failed. */
  readonly interrupted?: true;
}

/** What the handler came to. */
export type Performed =
  | { readonly value: unknown }
  /** `invalid`: the input was refused, the handler was not called. */
  | { readonly thrown: unknown; readonly invalid?: true };
