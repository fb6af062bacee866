import { decideOverlap, defaultWindow } from '@jetbeat/core';
import {
  type Database,
  type DispatchDecision,
  type DueOccurrence,
  dispatchPass,
  type NewJob,
  recordedEventsSeq,
  type TaskRecord,
} from '@jetbeat/postgres';
import { makeJob } from './make-job.ts';
import { periodAfter } from './materialize.ts';
import type { Recurrences } from './recurrences.ts';

/** What dispatching needs. */
export interface DispatchParams {
  readonly db: Database;
  readonly recurrences: Recurrences;
  /** The end of EVENTS now; rejects while NATS is away. */
  readonly eventsEnd: () => Promise<number>;
  /** What is known of a task. */
  readonly taskOf: (name: string) => TaskRecord | undefined;
  /** Takes what is committed and has to be published. */
  readonly publish: (jobs: readonly NewJob[]) => void;
}

/** What was done. */
export interface DispatchCounts {
  readonly dispatched: number;
  readonly skipped: number;
  /** Occurrences that wait until history has caught up. */
  readonly waiting: number;
}

/** Occurrences of one transaction. */
const LIMIT = 500;
const ROUNDS = 20;

/**
 * Decides every occurrence that is due, and hands the jobs that were made to `publish`, one transaction after the other.
 * @param now PostgreSQL's time, Unix milliseconds
 */
export async function dispatch(params: DispatchParams, now: number): Promise<DispatchCounts> {
  const counts = { dispatched: 0, skipped: 0, waiting: 0 };
  // Asked of NATS only when some job is still open; what it says then was so after every due time of this pass.
  let lastSeq: number | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const recordedUpTo = await recordedEventsSeq(params.db);
    let unknown = false;
    const decide = (due: DueOccurrence): DispatchDecision => {
      const decision = decideOne(params, due, { now, recordedUpTo, lastSeq });
      unknown ||= decision.do === 'wait' && decision.eventsSeq === undefined;
      return decision;
    };
    const done = await dispatchPass(params.db, { now, limit: LIMIT, recordedUpTo, decide });
    if (done.dispatched.length > 0) params.publish(done.dispatched);
    counts.dispatched += done.dispatched.length;
    counts.skipped += done.skipped;
    counts.waiting = done.waiting;
    const decided = done.dispatched.length + done.skipped;
    if (unknown && lastSeq === undefined) {
      lastSeq = await params.eventsEnd().catch(() => undefined);
      if (lastSeq !== undefined) continue;
    }
    if (decided < LIMIT) break;
  }
  return counts;
}

function decideOne(
  params: DispatchParams,
  due: DueOccurrence,
  known: { now: number; recordedUpTo: number; lastSeq: number | undefined },
): DispatchDecision {
  const { schedule, nominalTime, openJobs, waitedForSeq } = due;
  const { overlap, catchUp, catchUpWindow, job } = schedule.definition;
  const window = () =>
    catchUpWindow ?? defaultWindow(catchUp, periodAfter(params.recurrences.of(schedule), nominalTime));
  const decided = decideOverlap({
    ...{ rule: overlap, openJobs, waitedForSeq, nominalTime, ...known },
    window: openJobs > 0 && overlap !== 'allow' ? window() : 0,
  });
  switch (decided.decision) {
    case 'dispatch':
      return { do: 'dispatch', job: makeJob({ due, task: params.taskOf(job.task), now: known.now }) };
    case 'skip':
      return { do: 'skip', reason: decided.reason };
    case 'wait': {
      const { eventsSeq, until } = decided;
      return eventsSeq === undefined ? { do: 'wait', until } : { do: 'wait', eventsSeq, until };
    }
  }
}
