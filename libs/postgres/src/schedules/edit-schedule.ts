import type { ScheduleSpec } from '@jetbeat/core';
import { type AuditOf, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { SCHEDULE_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';

const FIND = `select ${SCHEDULE_SELECT} from schedule s where s.name = $1 for update`;
// What follows from a changed definition (its version, that it is planned anew) is done by the table itself, so that an edit in
// plain SQL is the same.
const EDIT = `update schedule s set definition = $2::jsonb where s.id = $1 returning ${SCHEDULE_SELECT}`;

/**
 * Changes what a schedule is, from the next pass of a scheduler on.
 * @param params.edit gets the schedule as it is, locked; undefined: nothing changes, and the version stays. It may throw
 * @returns undefined when there is no such schedule
 */
export async function editSchedule(
  db: Database,
  params: {
    readonly name: string;
    readonly edit: (schedule: ScheduleRecord) => ScheduleSpec | undefined;
    readonly audit?: AuditOf<ScheduleSpec>;
  },
): Promise<ScheduleRecord | undefined> {
  const { name, edit, audit } = params;
  return inside(db).transaction(async (sql) => {
    const row = await sql.row<ScheduleRow>(FIND, [name]);
    if (!row) return undefined;
    const schedule = scheduleRecord(row);
    const definition = edit(schedule);
    if (definition === undefined) return schedule;
    const edited = await sql.row<ScheduleRow>(EDIT, [schedule.id, toJson(definition)]);
    if (audit) await writeAudit(sql, audit(schedule.definition, definition));
    return edited && scheduleRecord(edited);
  });
}
