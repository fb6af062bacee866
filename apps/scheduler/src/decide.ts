import {
  bufferOf,
  decideOverlap,
  defaultWindow,
  expiredReason,
  PLAN_ORIGIN,
  pausedReason,
  periodAfter,
  type Settings,
} from '@jetbeat/core';
import {
  type DispatchDecision,
  type DueOccurrence,
  isPaused,
  type NewJob,
  type TaskRecord,
} from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';
import { makeJob } from './make-job.ts';
import type { Recurrences } from './recurrences.ts';
import type { TraceFires } from './trace-fires.ts';

/** What deciding needs. */
export interface DecideParams {
  readonly recurrences: Recurrences;
  /** What is known of a task. */
  readonly taskOf: (name: string) => TaskRecord | undefined;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  readonly fires?: TraceFires | undefined;
  readonly log: Pick<Log, 'error'>;
}

/** What holds for all that one transaction decides. */
export interface Known {
  /** PostgreSQL's time, Unix milliseconds. */
  readonly now: number;
  readonly recordedUpTo: number;
  readonly lastSeq: number | undefined;
}

/** What one waits for whose job cannot be made: no event, but its time. */
const NO_EVENT = Number.MAX_SAFE_INTEGER;
/** It is looked at again after this, in milliseconds. */
const AGAIN_MS = 60_000;

/** Decides one occurrence: a pause comes first, then the overlap rule, then whether its job would come too late. */
export function decideOccurrence(params: DecideParams, due: DueOccurrence, known: Known): DispatchDecision {
  try {
    return decide(params, due, known);
  } catch (err) {
    // One that nobody can read holds up no other. It stays due, and what is wrong stands in its schedule.
    const { name } = due.schedule;
    params.log.error({ err, schedule: name }, 'no job can be made of a schedule: correct its definition');
    return { do: 'wait', eventsSeq: NO_EVENT, until: known.now + AGAIN_MS };
  }
}

/** The job of a time that has just come and is free to run; undefined: whoever decides what is due decides. @param now Unix milliseconds */
export function fireDue(params: DecideParams, due: DueOccurrence, now: number): NewJob | undefined {
  try {
    const decided = decide(params, due, { now, recordedUpTo: 0, lastSeq: undefined });
    return decided.do === 'dispatch' ? decided.job : undefined;
  } catch {
    return undefined;
  }
}

function decide(params: DecideParams, due: DueOccurrence, known: Known): DispatchDecision {
  const { recurrences, settings, fires } = params;
  const { schedule, nominalTime, dispatchAt, openJobs, openJob, buffered, isBuffered } = due;
  const { waitedForSeq, waitUntil } = due.waitedForSeq === NO_EVENT ? {} : due;
  const { paused } = schedule;
  if (paused !== undefined && isPaused(schedule, known.now) && due.origin === PLAN_ORIGIN)
    return { do: 'skip', reason: pausedReason(paused) };
  const recurrence = recurrences.of(schedule);
  const { catchUp, catchUpWindow, job } = schedule.definition;
  const rule = due.overlap ?? schedule.definition.overlap;
  const window = () => catchUpWindow ?? defaultWindow(catchUp, periodAfter(recurrence, nominalTime));
  const decided = decideOverlap({
    rule,
    openJobs,
    openJob,
    buffered,
    isBuffered,
    dueAt: dispatchAt,
    waitedForSeq,
    waitUntil,
    bounded: bufferOf(due.origin) === PLAN_ORIGIN,
    ...known,
    window: (openJobs > 0 || buffered !== undefined) && rule !== 'allow' ? window() : 0,
  });
  switch (decided.decision) {
    case 'dispatch': {
      const made = makeJob({ due, settings, task: params.taskOf(job.task), now: known.now });
      const { expiresAt } = made.envelope;
      // It waited too long for its turn, or nobody was there: no worker would begin it any more.
      if (expiresAt !== undefined && expiresAt <= known.now)
        return { do: 'skip', reason: expiredReason(expiresAt) };
      return { do: 'dispatch', job: fires?.begin(made) ?? made };
    }
    case 'skip':
      return { do: 'skip', reason: decided.reason };
    case 'buffer':
      return { do: 'buffer', reason: decided.reason, cancel: decided.cancel };
    case 'wait': {
      const { eventsSeq, until } = decided;
      return eventsSeq === undefined ? { do: 'wait', until } : { do: 'wait', eventsSeq, until };
    }
  }
}
