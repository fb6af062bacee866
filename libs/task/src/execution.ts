import type { Outcome, StoredError } from '@jetbeat/core';

/** How an attempt ended. */
export interface Execution {
  readonly outcome: Exclude<Outcome, 'lost'>;
  /** Plain data of any size; whoever publishes the event cuts what is too much. */
  readonly result?: unknown;
  readonly error?: StoredError;
  /** Milliseconds until the next run, where the handler said so. */
  readonly delay?: number;
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
