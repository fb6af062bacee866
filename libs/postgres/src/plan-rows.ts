import { PLAN_ORIGIN, type SchedulePlan } from '@jetbeat/core';
import type { PlannedOccurrence, PlannedSchedule } from './materialize.ts';

/** What is to be written of the plan of one schedule. */
export function planRows(
  id: string,
  plan: SchedulePlan,
): { occurrences: PlannedOccurrence[]; schedule: PlannedSchedule } {
  const { times, cursor, nextAt, runs, superseded, resumed } = plan;
  return {
    occurrences: times.map((time) => ({ ...time, scheduleId: id, origin: PLAN_ORIGIN })),
    schedule: { id, cursor, ...(nextAt === undefined ? {} : { nextAt }), runs, superseded, resumed },
  };
}
