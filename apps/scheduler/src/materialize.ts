import { awayAt, MAX_TIMES, planSchedule, type SchedulerGap } from '@jetbeat/core';
import {
  type Database,
  type Fire,
  isRefusedByData,
  type materializePass,
  type NewJob,
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
  /** Makes the job of a time that has just come. */
  readonly fire: Fire;
  /** How many bytes of jobs there is room for. */
  readonly budget: number;
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
  /** Jobs of what was in time: committed, to be published. */
  readonly fired: readonly NewJob[];
  /** Something is due now that is still to be decided; `exclusive`: of a schedule that does not let its runs overlap. */
  readonly left: boolean;
  readonly exclusive: boolean;
  /** There may be schedules left whose time has come; `cut`: they did not fit into memory. */
  readonly more: boolean;
  readonly cut: boolean;
}

/** Schedules of one transaction. */
const LIMIT = 250;
/** Nominal times that one transaction looks at, over all its schedules: what blocks the event loop for some 50 ms. */
const BUDGET = 2 * MAX_TIMES;
/** A schedule that cannot be read is tried again after this, in milliseconds. */
const UNREADABLE_RETRY_MS = 60_000;

/**
 * Writes an occurrence for every nominal time that has come, or a row of those that do not run, makes the jobs of what is in time, and
 * moves the schedules on; in one transaction, of so many schedules that the first of them need not wait long for the last.
 * @param now PostgreSQL's time, Unix milliseconds
 */
export async function materialize(params: MaterializeParams, now: number): Promise<Materialized> {
  const { db, budget, fire } = params;
  let rows: readonly PlannedOccurrence[] = [];
  const alone = new Set<string>();
  const plan = (schedules: readonly ScheduleRecord[]) => {
    const planned = planAll(params, schedules, now);
    rows = planned.occurrences;
    for (const { id, definition } of schedules) if (definition.overlap !== 'allow') alone.add(id);
    return planned;
  };
  const pass = (firing: Fire | undefined) =>
    params.materializePass(db, { now, limit: LIMIT, budget, plan, fire: firing });
  const done = await pass(fire).catch((error: unknown) => {
    if (!isRefusedByData(error)) throw error;
    // Where a job is refused, whoever decides what is due finds out whose it is.
    return pass(undefined);
  });
  const counts = { due: 0, missed: 0, skipped: 0 };
  for (const { state, count = 1 } of rows) counts[state] += count;
  const { occurrences, fired, left, more, cut } = done;
  const exclusive = left.some(({ scheduleId }) => alone.has(scheduleId));
  return { occurrences, ...counts, fired, left: left.length > 0, exclusive, more, cut };
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
        schedule,
        now,
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
    id,
    cursor,
    superseded,
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function problemOf(error: unknown): string {
  if (error instanceof UnreadableScheduleError) return error.message;
  return `it cannot be planned: ${error instanceof Error ? error.message : String(error)}`;
}
