import { decideCatchUp, MAX_TIMES, PLAN_ORIGIN, type Recurrence, timesBetween } from '@jetbeat/core';
import {
  type Database,
  materializePass,
  type Plan,
  type PlannedOccurrence,
  type ScheduleRecord,
} from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';
import type { Recurrences } from './recurrences.ts';

/** What materializing needs. */
export interface MaterializeParams {
  readonly db: Database;
  readonly recurrences: Recurrences;
  readonly log: Pick<Log, 'error'>;
}

/** What was written. */
export interface Materialized {
  /** Rows: due ones, and runs of missed ones. */
  readonly occurrences: number;
  /** Nominal times that came due, and that were missed. */
  readonly due: number;
  readonly missed: number;
  /** There may be schedules left whose time has come. */
  readonly more: boolean;
}

/** Schedules of one transaction. */
const LIMIT = 250;
/** Nominal times that one transaction looks at, over all its schedules: what blocks the event loop for some 50 ms. */
const BUDGET = 2 * MAX_TIMES;
/** A schedule that cannot be read is tried again after this, in milliseconds. */
const UNREADABLE_RETRY_MS = 60_000;

/**
 * Writes an occurrence for every nominal time that has come, or a row of missed ones, and moves the schedules on; in one
 * transaction, of so many schedules that the first of them need not wait long for the last.
 * @param now PostgreSQL's time, Unix milliseconds
 */
export async function materialize(params: MaterializeParams, now: number): Promise<Materialized> {
  let rows: readonly PlannedOccurrence[] = [];
  const plan = (schedules: readonly ScheduleRecord[]) => {
    const planned = planAll(params, schedules, now);
    rows = planned.occurrences;
    return planned;
  };
  const { schedules, occurrences } = await materializePass(params.db, { now, limit: LIMIT, plan });
  let due = 0;
  let missed = 0;
  for (const { state, count = 1 } of rows) {
    if (state === 'due') due += count;
    else if (state === 'missed') missed += count;
  }
  return { occurrences, due, missed, more: schedules === LIMIT };
}

function planAll(params: MaterializeParams, schedules: readonly ScheduleRecord[], now: number): Plan {
  const occurrences: PlannedOccurrence[] = [];
  const moved: Plan['schedules'][number][] = [];
  let looked = 0;
  for (const schedule of schedules) {
    const { id, cursor, nextAt } = schedule;
    if (looked > BUDGET) {
      moved.push({ id, cursor, ...(nextAt === undefined ? {} : { nextAt }) });
      continue;
    }
    try {
      const planned = planOne(schedule, params.recurrences.of(schedule), now);
      looked += planned.looked;
      occurrences.push(...planned.occurrences);
      moved.push(planned.schedule);
    } catch (error) {
      params.log.error(
        { err: error, schedule: schedule.name },
        'a schedule cannot be read, so it does not fire',
      );
      moved.push({ id, cursor, nextAt: now + UNREADABLE_RETRY_MS });
    }
  }
  return { occurrences, schedules: moved };
}

/** Plans one schedule up to `now`. */
export function planOne(
  schedule: ScheduleRecord,
  recurrence: Recurrence,
  now: number,
): {
  occurrences: PlannedOccurrence[];
  schedule: Plan['schedules'][number];
  looked: number;
} {
  const { id, cursor, definition } = schedule;
  const { catchUp, catchUpWindow: window } = definition;
  const times = timesBetween(recurrence, cursor, now, MAX_TIMES);
  const decision = decideCatchUp({
    times,
    complete: times.length < MAX_TIMES,
    now,
    catchUp,
    window,
    period: periodAfter(recurrence, times.at(-1) ?? now),
    cursor,
  });
  const nextAt = recurrence.next(decision.cursor);
  return {
    occurrences: [
      ...decision.missed.map(({ from, to, count, reason }) => ({
        scheduleId: id,
        nominalTime: from,
        origin: PLAN_ORIGIN,
        state: 'missed' as const,
        reason,
        ...(count > 1 ? { count, to } : {}),
      })),
      ...decision.due.map((nominalTime) => ({
        scheduleId: id,
        nominalTime,
        origin: PLAN_ORIGIN,
        state: 'due' as const,
      })),
    ],
    schedule: { id, cursor: decision.cursor, ...(nextAt === undefined ? {} : { nextAt }) },
    looked: times.length,
  };
}

/** How long after `time` it fires again, in milliseconds. */
export function periodAfter(recurrence: Recurrence, time: number): number {
  return (recurrence.next(time) ?? Number.POSITIVE_INFINITY) - time;
}
