import type { JobState } from '../jobs/job-state.ts';
import type { Reason } from '../jobs/outcome.ts';
import { ORIGIN_PREFIXES, type OverlapRule, PLAN_ORIGIN } from './schedule.ts';

/** A job that is not over. */
export interface EarlierJob {
  readonly id: string;
  readonly state: JobState;
}

/** What becomes of a due occurrence. */
export type OverlapDecision =
  | { readonly decision: 'dispatch' }
  | { readonly decision: 'skip'; readonly reason: Reason }
  /** Ask again when no job of the schedule is open. */
  | { readonly decision: 'buffer'; readonly reason: Reason; readonly cancel: boolean }
  /**
   * Ask again when history has read EVENTS up to `eventsSeq`, at the latest at `until` (Unix milliseconds). Without
   * `eventsSeq` the end of EVENTS is not known; ask again when it is.
   */
  | { readonly decision: 'wait'; readonly eventsSeq?: number; readonly until: number };

/** The most occurrences of a schedule's own rule that wait with `buffer-all`. */
export const MAX_BUFFERED = 1_000;
/** The least time that history gets to catch up before the rule is applied to what it knows, in milliseconds. */
const MIN_OVERLAP_WAIT_MS = 5_000;

/**
 * Decides about one due occurrence, under the lock of its schedule's row: with no job open and none waiting before it, it is
 * dispatched at once. Else the rule holds; but nothing is left out before the recorder has read EVENTS to where they ended after the
 * due time, since the open job may have ended long ago. That wait is bounded by the catch-up window, and at least 5 s long from the first look:
 * of a time that is caught up the window may be over by then. To buffer and
 * to cancel need no such wait: a buffered one goes on as soon as history knows of no open job, and a cancel of what is over changes nothing.
 */
export function decideOverlap(params: {
  readonly rule: OverlapRule;
  /** The schedule's jobs that history knows as open; one past its total limit counts as lost, and not here. */
  readonly openJobs: number;
  /** One of them, to be named. */
  readonly openJob?: EarlierJob | undefined;
  /** How many earlier ones of the schedule wait, of the same rule or backfill; `first` is the nominal time of the first. */
  readonly buffered?: { readonly count: number; readonly first: number } | undefined;
  /** It is one of those that wait; asked in their order, when no job is open. */
  readonly isBuffered?: boolean;
  /** Whether `MAX_BUFFERED` holds for it. */
  readonly bounded?: boolean;
  /** The end of EVENTS that an earlier `wait` named. */
  readonly waitedForSeq?: number | undefined;
  /** Until when an earlier `wait` waits, Unix milliseconds. */
  readonly waitUntil?: number | undefined;
  /** The end of EVENTS, read after the due time, if it is known. */
  readonly lastSeq?: number | undefined;
  /** Up to where the recorder has committed EVENTS, read before `openJobs`. */
  readonly recordedUpTo: number;
  /** When it came due, Unix milliseconds. */
  readonly dueAt: number;
  /** The catch-up window, milliseconds. */
  readonly window: number;
  /** Unix milliseconds. */
  readonly now: number;
}): OverlapDecision {
  const { rule, openJobs, openJob, isBuffered = false, buffered, bounded = true } = params;
  const { recordedUpTo, dueAt, window, now } = params;
  if (isBuffered) return openJobs === 0 ? { decision: 'dispatch' } : waitFor(params, false);
  const waiting = rule === 'skip' ? 0 : (buffered?.count ?? 0);
  if (rule === 'allow' || (openJobs === 0 && waiting === 0)) return { decision: 'dispatch' };
  const until = params.waitUntil ?? Math.max(dueAt + window, now + MIN_OVERLAP_WAIT_MS);
  // Whoever waits already comes first, and goes on at this moment.
  if (openJobs === 0 && rule !== 'buffer-all') return { decision: 'wait', until };
  if (rule === 'cancel-previous') return waitFor(params, true);
  if (mayWait(rule, waiting, bounded)) return waitFor(params, false);

  const skip = (lagging: boolean): OverlapDecision => {
    const reason = skipReason(rule, { openJob, openJobs, buffered });
    const text = lagging
      ? `${reason.text} as far as history knows, which did not catch up in time`
      : reason.text;
    return { decision: 'skip', reason: { code: reason.code, text } };
  };
  const eventsSeq = params.waitedForSeq ?? params.lastSeq;
  if (eventsSeq !== undefined && recordedUpTo >= eventsSeq) return skip(false);
  if (now >= until) return skip(true);
  return eventsSeq === undefined ? { decision: 'wait', until } : { decision: 'wait', eventsSeq, until };
}

/** The origins that wait in one row: each backfill by itself, all else with the schedule's own rule. */
export function bufferOf(origin: string): string {
  return origin.startsWith(ORIGIN_PREFIXES.backfill) ? origin : PLAN_ORIGIN;
}

/** Why an occurrence that waited is left out: a later one has taken its place. @param nominalTime of the later one, Unix milliseconds */
export function replacedReason(nominalTime: number): Reason {
  return { code: 'replaced', text: `overlap: replaced by the run of ${new Date(nominalTime).toISOString()}` };
}

function mayWait(rule: OverlapRule, waiting: number, bounded: boolean): boolean {
  return rule === 'buffer-one'
    ? waiting === 0
    : rule === 'buffer-all' && (!bounded || waiting < MAX_BUFFERED);
}

type Others = Pick<Parameters<typeof decideOverlap>[0], 'openJob' | 'openJobs' | 'buffered'>;

function waitFor(others: Others, cancel: boolean): OverlapDecision {
  const text = cancel ? `${openText(others)}, and is being cancelled` : `waits: ${openText(others)}`;
  return { decision: 'buffer', reason: { code: 'overlap', text }, cancel };
}

function skipReason(rule: OverlapRule, others: Others): Reason {
  const { buffered } = others;
  if (rule === 'buffer-all') {
    return { code: 'buffer_full', text: `overlap: ${MAX_BUFFERED} runs wait already, more may not` };
  }
  if (rule === 'buffer-one' && buffered !== undefined) {
    const first = new Date(buffered.first).toISOString();
    return { code: 'overlap', text: `overlap: one waits already, that of ${first}` };
  }
  return { code: 'overlap', text: `overlap: ${openText(others)}` };
}

function openText({ openJob, openJobs, buffered }: Others): string {
  if (openJobs === 0 && buffered !== undefined) return `${buffered.count} wait before it`;
  if (openJob === undefined) return 'a job before it is still open';
  const more = openJobs > 1 ? `and ${openJobs - 1} more are still open` : `still ${openJob.state}`;
  return `job ${openJob.id} ${more}`;
}
