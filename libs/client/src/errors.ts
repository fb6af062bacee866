import { JetbeatError } from '@jetbeat/core';
import type { SentJob } from './result.ts';

/**
 * A job that JetStream did not confirm. `code` is the cause: `publish_unconfirmed` when it may have been stored all the same,
 * else `not_connected`, `storage_full` (by Jetbeat's guard, or by the server), `queue_full` (its `maxDepth`), `payload_too_large`, `no_stream` and the like when it was not.
 */
export class EnqueueError extends JetbeatError {
  /** The job's id: enqueue again with `{ id }`, and it still runs once. */
  readonly id: string;
  readonly task: string;
  /** Whether it may have been stored. */
  readonly maybeStored: boolean;

  constructor(job: { readonly id: string; readonly task: string }, cause: JetbeatError) {
    const maybeStored = cause.code === 'publish_unconfirmed';
    const what = maybeStored ? 'was not confirmed, so it may or may not have been stored' : 'was not stored';
    const advice = maybeStored ? `; enqueue it again with { id: '${job.id}' } and it still runs once` : '';
    super(cause.code, `job ${job.id} of ${job.task} ${what}: ${cause.message}${advice}`, { cause });
    this.id = job.id;
    this.task = job.task;
    this.maybeStored = maybeStored;
  }
}

/** One item of `enqueueMany` that did not become a job. */
export interface ItemFailure {
  /** Place in what was given, from 0. */
  readonly index: number;
  /** An EnqueueError, or an InvalidInputError for a wrong input or option. */
  readonly error: JetbeatError;
}

/** Some items of `enqueueMany` did not become jobs; the others did. */
export class EnqueueManyError extends JetbeatError {
  /** By place in what was given; nothing where an item failed. */
  readonly jobs: readonly (SentJob | undefined)[];
  readonly failures: readonly ItemFailure[];
  /** False when it stopped reading, since nothing could be stored any more: what follows `jobs` was not tried. */
  readonly complete: boolean;

  constructor(outcome: {
    readonly jobs: readonly (SentJob | undefined)[];
    readonly failures: readonly ItemFailure[];
    readonly complete: boolean;
    readonly cause?: unknown;
  }) {
    const { jobs, failures, complete, cause } = outcome;
    const first = failures[0] ? `, the first (at ${failures[0].index}): ${failures[0].error.message}` : '';
    const reading = cause === undefined ? '' : `; reading the items failed: ${textOf(cause)}`;
    const rest = complete ? '' : '; what comes after them was not tried';
    super('enqueue_many', `${failures.length} of ${jobs.length} jobs failed${first}${reading}${rest}`, {
      cause: cause ?? failures[0]?.error,
    });
    this.jobs = jobs;
    this.failures = failures;
    this.complete = complete;
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
