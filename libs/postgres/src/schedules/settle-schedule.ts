import { awayAt, createRecurrence, planSchedule } from '@jetbeat/core';
import type { Sql } from '../database/sql.ts';
import { readGaps } from '../fleet/beats.ts';
import { planRows } from './plan-rows.ts';
import { PLANNED_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';
import { writePlan } from './write-plan.ts';

/** Steps of planning: some ten days of a schedule of one second. */
const MAX_STEPS = 100;
const LOCK = `select ${PLANNED_SELECT} from schedule s where s.name = $1 for update`;

/** Locks a schedule and plans it up to `now` (Unix milliseconds), as a pass would; undefined when there is none. */
export async function settleSchedule(
  sql: Sql,
  params: { name: string; now: number },
): Promise<ScheduleRecord | undefined> {
  const { name, now } = params;
  const row = await sql.row<ScheduleRow>(LOCK, [name]);
  if (!row) return undefined;
  let schedule = scheduleRecord(row);
  const gaps = await readGaps(sql);
  for (let step = 0; step < MAX_STEPS && (schedule.nextAt ?? now + 1) <= now; step++) {
    const occurrences = tryPlan(schedule, { now, gaps });
    // What cannot be read does not fire.
    if (occurrences === undefined) break;
    await writePlan(sql, { occurrences: occurrences.occurrences, schedules: [occurrences.schedule] }, now);
    const after = await sql.row<ScheduleRow>(LOCK, [name]);
    if (!after) return undefined;
    schedule = scheduleRecord(after);
  }
  return schedule;
}

function tryPlan(
  schedule: ScheduleRecord,
  around: { now: number; gaps: Awaited<ReturnType<typeof readGaps>> },
) {
  const anchor = schedule.createdAt;
  try {
    const plan = planSchedule({
      schedule,
      recurrenceOf: (definition) => createRecurrence({ ...definition, anchor }),
      now: around.now,
      awayAt: (time) => awayAt(around.gaps, time),
    });
    return planRows(schedule.id, plan);
  } catch {
    return undefined;
  }
}
