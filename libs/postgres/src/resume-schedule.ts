import { PLAN_ORIGIN, type Reason } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { insertOccurrences } from './materialize.ts';
import { SCHEDULE_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';
import { at } from './sql.ts';

/** What resuming a schedule comes to. Times in Unix milliseconds. */
export interface Resumption {
  /** The first nominal time after now, if there is one. */
  readonly nextAt?: number;
  /** The nominal times that fell into the pause, as one row. */
  readonly passed?: { readonly from: number; readonly to: number; readonly count: number };
}

const RESUME = `update schedule s set paused_at = null, paused_by = null, pause_note = null, updated_at = ${at('$2')},
    cursor_at = ${at('$2')}, next_at = ${at('$3')}
  where s.id = $1 returning ${SCHEDULE_SELECT}`;

/**
 * Plans again from `now` on: what fell into the pause is not caught up, and stands in history as skipped. A schedule that is
 * not paused stays as it is.
 * @param params.plan pure; gets the schedule as it was paused
 * @returns undefined when there is no such schedule
 */
export async function resumeSchedule(
  db: Database,
  params: { name: string; now: number; plan: (schedule: ScheduleRecord) => Resumption },
): Promise<ScheduleRecord | undefined> {
  const { name, now, plan } = params;
  return inside(db).transaction(async (sql) => {
    const select = `select ${SCHEDULE_SELECT} from schedule s where s.name = $1 for update`;
    const row = await sql.row<ScheduleRow>(select, [name]);
    if (!row) return undefined;
    const schedule = scheduleRecord(row);
    if (!schedule.paused) return schedule;
    const { nextAt, passed } = plan(schedule);
    if (passed) {
      const { from, to, count } = passed;
      const common = {
        scheduleId: schedule.id,
        nominalTime: from,
        origin: PLAN_ORIGIN,
        state: 'skipped',
      } as const;
      const reason = reasonOf(schedule.paused);
      await insertOccurrences(sql, [{ ...common, reason, ...(count > 1 ? { to, count } : {}) }]);
    }
    const resumed = await sql.row<ScheduleRow>(RESUME, [schedule.id, now, nextAt ?? null]);
    return resumed && scheduleRecord(resumed);
  });
}

function reasonOf({ by, note }: NonNullable<ScheduleRecord['paused']>): Reason {
  return { code: 'paused', text: `the schedule was paused by ${by}${note === undefined ? '' : `: ${note}`}` };
}
