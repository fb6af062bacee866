import { PLAN_ORIGIN, type PlannedTime, type SchedulePlan, type SupersededDefinition } from '@jetbeat/core';

/** One nominal time that has come, or a row of them that will not run. Times in Unix milliseconds. */
export interface PlannedOccurrence extends PlannedTime {
  readonly scheduleId: string;
  readonly origin: string;
  /** What holds for it instead of the schedule's own rule. */
  readonly overlap?: string;
}

/** A schedule after it was planned. */
export interface PlannedSchedule {
  readonly id: string;
  /** It never goes back. Unix milliseconds. */
  readonly cursor: number;
  /** Absent: it is finished. A past one: it is planned on in the next pass. Unix milliseconds. */
  readonly nextAt?: number;
  /** How many times of its own rule have come due; absent: as many as before. */
  readonly runs?: number;
  /** What is left of these. */
  readonly superseded?: readonly SupersededDefinition[];
  /** Its pause is over. */
  readonly resumed?: boolean;
  /** Why its definition cannot be read. */
  readonly problem?: string;
}

/** What is to be written for the schedules of one pass. */
export interface Plan {
  readonly occurrences: readonly PlannedOccurrence[];
  /** One for each schedule that was given. */
  readonly schedules: readonly PlannedSchedule[];
}

/** What is to be written of the plan of one schedule. */
export function planRows(
  id: string,
  plan: SchedulePlan,
): { occurrences: PlannedOccurrence[]; schedule: PlannedSchedule } {
  const { times, cursor, nextAt, runs, superseded, resumed, problem } = plan;
  return {
    occurrences: times.map((time) => ({ ...time, scheduleId: id, origin: PLAN_ORIGIN })),
    schedule: {
      id,
      cursor,
      runs,
      superseded,
      resumed,
      ...(nextAt === undefined ? {} : { nextAt }),
      ...(problem === undefined ? {} : { problem }),
    },
  };
}
