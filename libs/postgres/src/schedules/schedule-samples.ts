import { type OverlapRule, PLAN_ORIGIN, type ScheduleSpec } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleSpec } from '../database/sample.ts';
import { createSchedule } from './schedules.ts';
import { writePlan } from './write-plan.ts';

/** So many seconds after noon, Unix milliseconds. */
export const at = (second: number): number => NOON + second * 1_000;

/** Makes a schedule with this rule; its id. @param nextAt when it is planned next: by itself not within a test */
export async function makeSchedule(
  db: Database,
  overlap: OverlapRule,
  change: Partial<ScheduleSpec> = {},
  nextAt = at(900),
): Promise<string> {
  const definition = { ...sampleSpec('one'), overlap, ...change };
  return (await createSchedule(db, { id: newId(), name: 'one', definition, nextAt, now: NOON })).id;
}

/** These times of a schedule have come due, in seconds after noon; those of a backfill are due at noon. */
export async function makeDue(
  db: Database,
  scheduleId: string,
  seconds: readonly number[],
  origin = PLAN_ORIGIN,
): Promise<void> {
  const occurrences = seconds.map((second) => ({
    scheduleId,
    origin,
    nominalTime: at(second),
    state: 'due' as const,
    ...(origin === PLAN_ORIGIN ? {} : { overlap: 'buffer-all', dispatchAt: at(0) }),
  }));
  await inside(db).transaction((sql) => writePlan(sql, { occurrences, schedules: [] }, NOON));
}
