import type { JobState } from './job-state.ts';
import type { Reason } from './outcome.ts';
import type { OverlapRule } from './schedule.ts';

/** A job that is not over. */
export interface EarlierJob {
  readonly id: string;
  readonly state: JobState;
}

/** What becomes of a due occurrence. */
export type OverlapDecision =
  | { readonly decision: 'dispatch' }
  | { readonly decision: 'skip'; readonly reason: Reason }
  /**
   * Ask again when history has read EVENTS up to `eventsSeq`, at the latest at `until` (Unix milliseconds). Without
   * `eventsSeq` the end of EVENTS is not known; ask again when it is.
   */
  | { readonly decision: 'wait'; readonly eventsSeq?: number; readonly until: number };

/** The least time that history gets to catch up before the rule is applied to what it knows, in milliseconds. */
const MIN_OVERLAP_WAIT_MS = 5_000;

/**
 * Decides about one due occurrence, under the lock of its schedule's row: with no job open it is dispatched at once; with one
 * open, it waits until the recorder has read EVENTS to where they ended after the due time, since the open job may have ended
 * long ago; then the rule holds. The wait is bounded by the catch-up window (at least 5 s).
 */
export function decideOverlap(params: {
  readonly rule: OverlapRule;
  /** The schedule's jobs that history knows as open; one past its total limit counts as lost, and not here. */
  readonly openJobs: number;
  /** One of them, to be named. */
  readonly openJob?: EarlierJob | undefined;
  /** The end of EVENTS that an earlier `wait` named. */
  readonly waitedForSeq?: number | undefined;
  /** The end of EVENTS, read after the due time, if it is known. */
  readonly lastSeq?: number | undefined;
  /** Up to where the recorder has committed EVENTS, read before `openJobs`. */
  readonly recordedUpTo: number;
  readonly nominalTime: number;
  /** The catch-up window, milliseconds. */
  readonly window: number;
  /** Unix milliseconds. */
  readonly now: number;
}): OverlapDecision {
  const { rule, openJobs, recordedUpTo, nominalTime, window, now } = params;
  if (rule === 'allow' || openJobs === 0) return { decision: 'dispatch' };
  const eventsSeq = params.waitedForSeq ?? params.lastSeq;
  if (eventsSeq !== undefined && recordedUpTo >= eventsSeq) return skip('was still open', params);
  const until = nominalTime + Math.max(window, MIN_OVERLAP_WAIT_MS);
  if (now >= until) return skip('was open as far as history knew, which did not catch up in time', params);
  return eventsSeq === undefined ? { decision: 'wait', until } : { decision: 'wait', eventsSeq, until };
}

function skip(
  why: string,
  { openJob, openJobs }: { openJob?: EarlierJob | undefined; openJobs: number },
): OverlapDecision {
  const more = openJobs > 1 ? ` and ${openJobs - 1} more` : '';
  const named = openJob === undefined ? '' : `: ${openJob.id} (${openJob.state})${more}`;
  const text = `the job before it ${why}${named}`;
  return { decision: 'skip', reason: { code: 'overlap', text } };
}
