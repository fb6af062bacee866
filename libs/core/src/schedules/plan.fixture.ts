import { createRecurrence } from '../when/recurrence.ts';
import { type PlannableSchedule, planSchedule, type SchedulePlan } from './plan.ts';
import type { ScheduleSpec } from './schedule.ts';
import { awayAt } from './scheduler-gap.ts';

/** When the schedules of tests begin, Unix milliseconds. */
export const T0 = Date.parse('2026-01-01T00:00:00Z');
/** Milliseconds. */
export const MINUTE = 60_000;
/** Milliseconds. */
export const HOUR = 60 * MINUTE;
/** A schedule that fires each minute. */
export const spec: ScheduleSpec = {
  name: 's',
  when: { every: MINUTE },
  timeZone: 'UTC',
  overlap: 'skip',
  catchUp: 'latest',
  job: { task: 'system.echo', input: null },
};

/** A schedule of which nothing is planned yet. */
export function make(
  change: Partial<ScheduleSpec> = {},
  fields: Partial<PlannableSchedule> = {},
): PlannableSchedule {
  return { id: 'id', definition: { ...spec, ...change }, cursor: T0, runs: 0, ...fields };
}

/** Plans it. @param gap when no scheduler was there */
export function plan(
  schedule: PlannableSchedule,
  now: number,
  gap?: { from: number; to: number },
): SchedulePlan {
  return planSchedule({
    schedule,
    now,
    recurrenceOf: (definition) => createRecurrence({ ...definition, anchor: T0 }),
    awayAt: (time) => awayAt(gap ? [{ ...gap, cause: 'away' }] : [], time),
  });
}

/** Minutes since the beginning, of what is said about them. */
export function rows({ times }: SchedulePlan) {
  return times.map(({ nominalTime, to, count = 1, state, reason }) => [
    (nominalTime - T0) / MINUTE,
    ((to ?? nominalTime) - T0) / MINUTE,
    count,
    state,
    reason?.text,
  ]);
}
