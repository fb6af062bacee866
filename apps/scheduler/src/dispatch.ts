import { decideOverlap, defaultWindow, expiredReason, type Settings } from '@jetbeat/core';
import {
  type Database,
  type DispatchDecision,
  type DueOccurrence,
  dispatchPass,
  type NewJob,
  type TaskRecord,
} from '@jetbeat/postgres';
import { makeJob } from './make-job.ts';
import { periodAfter } from './materialize.ts';
import type { Recurrences } from './recurrences.ts';
import type { TraceFires } from './trace-fires.ts';

/** What dispatching needs. */
export interface DispatchParams {
  readonly db: Database;
  readonly recurrences: Recurrences;
  /** What is known of a task. */
  readonly taskOf: (name: string) => TaskRecord | undefined;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  /** Takes what is committed and has to be published. */
  readonly publish: (jobs: readonly NewJob[]) => void;
  readonly fires?: TraceFires | undefined;
}

/** Where EVENTS stood after the due times of the pass; unknown while NATS is away. */
export interface EventsMarks {
  /** Its last sequence. */
  readonly lastSeq: number;
  /** Everything up to here is in history; read before `lastSeq`. */
  readonly recordedUpTo: number;
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
export async function dispatch(
  params: DispatchParams,
  now: number,
  events: EventsMarks | undefined,
): Promise<DispatchCounts> {
  const counts = { dispatched: 0, skipped: 0, waiting: 0 };
  const known = { now, recordedUpTo: events?.recordedUpTo ?? 0, lastSeq: events?.lastSeq };
  const decide = (due: DueOccurrence) => decideOne(params, due, known);
  for (let round = 0; round < ROUNDS; round++) {
    const { recordedUpTo } = known;
    const done = await dispatchPass(params.db, { now, limit: LIMIT, recordedUpTo, decide });
    params.fires?.committed(done.dispatched);
    if (done.dispatched.length > 0) params.publish(done.dispatched);
    counts.dispatched += done.dispatched.length;
    counts.skipped += done.skipped;
    counts.waiting = done.waiting;
    if (done.dispatched.length + done.skipped + done.waiting < LIMIT) break;
  }
  return counts;
}

function decideOne(
  params: DispatchParams,
  due: DueOccurrence,
  known: { now: number; recordedUpTo: number; lastSeq: number | undefined },
): DispatchDecision {
  const { schedule, nominalTime, openJobs, openJob, waitedForSeq } = due;
  const { overlap, catchUp, catchUpWindow, job } = schedule.definition;
  const window = () =>
    catchUpWindow ?? defaultWindow(catchUp, periodAfter(params.recurrences.of(schedule), nominalTime));
  const decided = decideOverlap({
    rule: overlap,
    openJobs,
    openJob,
    waitedForSeq,
    nominalTime,
    ...known,
    window: openJobs > 0 && overlap !== 'allow' ? window() : 0,
  });
  switch (decided.decision) {
    case 'dispatch': {
      const { settings } = params;
      const made = makeJob({ due, settings, task: params.taskOf(job.task), now: known.now });
      const { expiresAt } = made.envelope;
      // It waited too long for its turn, or nobody was there: no worker would begin it any more.
      if (expiresAt !== undefined && expiresAt <= known.now)
        return { do: 'skip', reason: expiredReason(expiresAt) };
      return { do: 'dispatch', job: params.fires?.begin(made) ?? made };
    }
    case 'skip':
      return { do: 'skip', reason: decided.reason };
    case 'wait': {
      const { eventsSeq, until } = decided;
      return eventsSeq === undefined ? { do: 'wait', until } : { do: 'wait', eventsSeq, until };
    }
  }
}
