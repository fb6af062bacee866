import { awayAt, MAX_TIMES, planSchedule, type SchedulerGap } from '@jetbeat/core';
import {
  type Database,
  type materializePass,
  type Plan,
  type PlannedOccurrence,
  type PlannedSchedule,
  planRows,
  type ScheduleRecord,
} from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';
import { type Recurrences, UnreadableScheduleError } from './recurrences.ts';

/** What materializing needs. */
export interface MaterializeParams {
  readonly db: Database;
  readonly recurrences: Recurrences;
  /** The transaction; a test may wrap it. */
  readonly materializePass: typeof materializePass;
  /** When nothing was planned, newest first. */
  readonly gaps: readonly SchedulerGap[];
  readonly log: Pick<Log, 'error'>;
}

/** What was written. */
export interface Materialized {
  /** Rows: due ones, and runs of missed ones. */
  readonly occurrences: number;
  /** Nominal times that came due, that were missed, and that fell into a pause. */
  readonly due: number;
  readonly missed: number;
  readonly skipped: number;
  /** One of the schedules does not let its runs overlap. */
  readonly exclusive: boolean;
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
 * Writes an occurrence for every nominal time that has come, or a row of those that do not run, and moves the schedules on; in one
 * transaction, of so many schedules that the first of them need not wait long for the last.
 * @param now PostgreSQL's time, Unix milliseconds
 */
export async function materialize(params: MaterializeParams, now: number): Promise<Materialized> {
  let rows: readonly PlannedOccurrence[] = [];
  let exclusive = false;
  const plan = (schedules: readonly ScheduleRecord[]) => {
    const planned = planAll(params, schedules, now);
    rows = planned.occurrences;
    exclusive = schedules.some(({ definition }) => definition.overlap !== 'allow');
    return planned;
  };
  const { schedules, occurrences } = await params.materializePass(params.db, { now, limit: LIMIT, plan });
  const counts = { due: 0, missed: 0, skipped: 0 };
  for (const { state, count = 1 } of rows) counts[state] += count;
  return { occurrences, ...counts, exclusive, more: schedules === LIMIT };
}

function planAll(params: MaterializeParams, schedules: readonly ScheduleRecord[], now: number): Plan {
  const { recurrences, gaps } = params;
  const occurrences: PlannedOccurrence[] = [];
  const moved: PlannedSchedule[] = [];
  let looked = 0;
  for (const schedule of schedules) {
    if (looked > BUDGET) {
      moved.push(asItIs(schedule));
      continue;
    }
    try {
      const plan = planSchedule({
        ...{ schedule, now },
        recurrenceOf: (definition) => recurrences.of(schedule, definition),
        awayAt: (time) => awayAt(gaps, time),
      });
      looked += plan.looked;
      const planned = planRows(schedule.id, plan);
      occurrences.push(...planned.occurrences);
      moved.push(planned.schedule);
    } catch (error) {
      moved.push({ ...asItIs(schedule), nextAt: now + UNREADABLE_RETRY_MS, problem: problemOf(error) });
      if (schedule.problem !== undefined) continue;
      const text = 'a schedule cannot be read, so it does not fire: correct its definition';
      params.log.error({ err: error, schedule: schedule.name }, text);
    }
  }
  return { occurrences, schedules: moved };
}

function asItIs({ id, cursor, nextAt, superseded = [], problem }: ScheduleRecord): PlannedSchedule {
  return {
    ...{ id, cursor, superseded },
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function problemOf(error: unknown): string {
  if (error instanceof UnreadableScheduleError) return error.message;
  return `it cannot be planned: ${error instanceof Error ? error.message : String(error)}`;
}
