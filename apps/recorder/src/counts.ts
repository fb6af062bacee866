import type { Log } from '@jetbeat/jetstream';
import { Histogram } from '@jetbeat/runtime';

/** What the recorder has done since its start. */
export interface RecorderCounts {
  /** Messages of EVENTS whose contents are in PostgreSQL. */
  batches: number;
  events: number;
  /** Messages that were no event batch. */
  skippedBatches: number;
  /** Entries of batches that were no event, or that PostgreSQL refused. */
  skippedEvents: number;
  /** Changes of jobs that came too late to change anything: the state table and the order of history refused them. */
  late: number;
  /** Questions answered, and askings left without an answer. */
  answered: number;
  unanswered: number;
  /** Overdue jobs looked at, and of these those that were missing. */
  reconciled: number;
  republished: number;
  released: number;
  /** Jobs that nobody began in time. */
  expired: number;
  /** Jobs that were made because another one had ended: callbacks that no worker had made, and notices. */
  followed: number;
  /** Failed tries to make one. */
  unmade: number;
  trimmed: number;
  /** Pulls that PostgreSQL did not take at the first try. */
  failures: number;
}

/** Counting, and one line about it at most so often, whatever is thrown at the stream. */
export interface Tally {
  readonly counts: RecorderCounts;
  /** How long writing one pull took, in seconds. */
  readonly transactions: Histogram;
  /** Counts what was passed by; a log line tells of it at most once a minute. */
  skip(what: { batches: number; events: number; seq: number; err?: unknown }): void;
}

const QUIET_MS = 60_000;

/** Makes the recorder's counts, all zero. */
export function createTally(params: { log: Log; monotonic?: () => number }): Tally {
  const { log, monotonic = () => performance.now() } = params;
  const counts: RecorderCounts = {
    batches: 0,
    events: 0,
    skippedBatches: 0,
    skippedEvents: 0,
    late: 0,
    answered: 0,
    unanswered: 0,
    reconciled: 0,
    republished: 0,
    released: 0,
    expired: 0,
    followed: 0,
    unmade: 0,
    trimmed: 0,
    failures: 0,
  };
  let quietUntil = Number.NEGATIVE_INFINITY;
  return {
    counts,
    transactions: new Histogram(),
    skip({ batches, events, seq, err }) {
      counts.skippedBatches += batches;
      counts.skippedEvents += events;
      if (monotonic() < quietUntil) return;
      quietUntil = monotonic() + QUIET_MS;
      const { skippedBatches, skippedEvents } = counts;
      log.warn(
        { skippedBatches, skippedEvents, seq, ...(err === undefined ? {} : { err }) },
        'EVENTS holds what is no event; it is passed by: see who besides the workers and clients may publish there',
      );
    },
  };
}
