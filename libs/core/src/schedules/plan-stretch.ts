import type { Reason } from '../jobs/outcome.ts';
import { jitterOf } from '../when/jitter.ts';
import { type Recurrence, timesBetween } from '../when/recurrence.ts';
import { caughtUpReason, decideCatchUp, MAX_TIMES, type MissedRun } from './catch-up.ts';
import type { ScheduleSpec } from './schedule.ts';

/** Why and how long a schedule is paused. Times in Unix milliseconds. */
export interface SchedulePause {
  readonly by: string;
  readonly note?: string;
  readonly since: number;
  /** When it goes on by itself. */
  readonly until?: number;
}

/** What is to be written for one nominal time, or for a row of equal ones. Times in Unix milliseconds. */
export interface PlannedTime {
  readonly nominalTime: number;
  readonly state: 'due' | 'missed' | 'skipped';
  readonly reason?: Reason;
  /** Nominal times folded into this row, default 1; `to` is the last of them. */
  readonly count?: number;
  readonly to?: number;
  /** When it is to be dispatched, where that is not its nominal time. */
  readonly dispatchAt?: number;
}

/** One part of the time that is planned: one definition, paused or not. */
export interface Stretch {
  readonly definition: ScheduleSpec;
  readonly upTo: number;
  readonly pause: SchedulePause | undefined;
}

/**
 * Plans one stretch from `cursor` on; at most `MAX_TIMES` nominal times of it are looked at.
 * @param params.left times that may still come due
 * @returns `due`: how many times came due; `more`: there is something left to decide
 */
export function planStretch(params: {
  readonly schedule: { readonly id: string };
  readonly stretch: Stretch;
  readonly recurrence: Recurrence;
  readonly now: number;
  readonly cursor: number;
  readonly left: number;
  readonly awayAt: (time: number) => string | undefined;
}): { times: PlannedTime[]; due: number; looked: number; cursor: number; more: boolean } {
  const { schedule, recurrence, now, cursor, left, awayAt } = params;
  const { definition, pause } = params.stretch;
  const times = timesBetween(recurrence, cursor, params.stretch.upTo, MAX_TIMES);
  const complete = times.length < MAX_TIMES;
  // A search that was given up says nothing of what comes behind that.
  const known = complete ? recurrence.gaveUp(times.at(-1) ?? cursor) : undefined;
  const upTo = Math.min(params.stretch.upTo, known ?? Number.POSITIVE_INFINITY);
  const isCut = upTo < params.stretch.upTo;
  const looked = times.length;
  const last = times.at(-1) ?? upTo;
  if (pause) {
    const [from] = times;
    const passed = from === undefined ? [] : [{ from, to: last, count: looked, reason: pausedReason(pause) }];
    const skipped = passed.map((run) => rowOf(run, 'skipped'));
    return { times: skipped, due: 0, looked, cursor: complete ? upTo : last, more: isCut || !complete };
  }
  const decision = decideCatchUp({
    times,
    complete,
    now,
    cursor,
    upTo,
    catchUp: definition.catchUp,
    window: definition.catchUpWindow,
    period: periodAfter(recurrence, last),
    awayAt,
  });
  const { caughtUp } = decision;
  const due = decision.due.slice(0, left);
  const rows = due.map((nominalTime, index): PlannedTime => {
    const late = index < caughtUp;
    const dispatchAt = dispatchTime({
      id: schedule.id,
      definition,
      recurrence,
      nominalTime,
      late,
      index,
      now,
    });
    return {
      nominalTime,
      state: 'due',
      ...(late ? { reason: caughtUpReason(awayAt(nominalTime)) } : {}),
      ...(dispatchAt === nominalTime ? {} : { dispatchAt }),
    };
  });
  return {
    times: [...decision.missed.map((run) => rowOf(run, 'missed')), ...rows],
    due: due.length,
    looked,
    cursor: decision.cursor,
    // What is over has nothing more to decide.
    more: (isCut || decision.more) && due.length < left,
  };
}

function rowOf({ from, to, count, reason }: MissedRun, state: 'missed' | 'skipped'): PlannedTime {
  return { nominalTime: from, state, reason, ...(count > 1 ? { count, to } : {}) };
}

function dispatchTime(params: {
  readonly id: string;
  readonly definition: ScheduleSpec;
  readonly recurrence: Recurrence;
  readonly nominalTime: number;
  readonly late: boolean;
  readonly index: number;
  readonly now: number;
}): number {
  const { id, definition, recurrence, nominalTime, late, index, now } = params;
  const { catchUp, jitter } = definition;
  const spread = typeof catchUp === 'object' ? catchUp.spread : undefined;
  if (late) return spread === undefined ? nominalTime : now + index * spread;
  if (jitter === undefined) return nominalTime;
  const next = recurrence.next(nominalTime);
  return nominalTime + jitterOf({ scheduleId: id, nominalTime, jitter, next });
}

/** How long after `time` it fires again, in milliseconds. */
export function periodAfter(recurrence: Recurrence, time: number): number {
  return (recurrence.next(time) ?? Number.POSITIVE_INFINITY) - time;
}

/** Why a time was passed by that fell into a pause. */
export function pausedReason({ by, note }: Pick<SchedulePause, 'by' | 'note'>): Reason {
  return { code: 'paused', text: note === undefined ? `paused by ${by}` : `paused by ${by}: ${note}` };
}
