import type { SchedulePause, ScheduleSpec } from '@jetbeat/core';
import { type AuditOf, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { ConflictError } from '../database/errors.ts';
import { toJson } from '../database/json.ts';
import { at } from '../database/sql.ts';
import { SCHEDULE_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';
import { settleSchedule } from './settle-schedule.ts';

const INSERT = `insert into schedule as s (id, name, definition, created_at, updated_at, cursor_at, next_at)
  select x.id, x.name, x.definition, ${at('$2')}, ${at('$2')}, ${at('coalesce(x.cursor, $2::float8)')},
    ${at('coalesce(x."nextAt", $2::float8)')}
  from json_to_recordset($1::json) as x(id uuid, name text, definition jsonb, cursor float8, "nextAt" float8)
  on conflict (name) do nothing returning ${SCHEDULE_SELECT}`;

/**
 * Makes a schedule. `cursor` is the time after which planning begins, `nextAt` when it is planned first; without them the
 * next pass plans it from `now` on. All in Unix milliseconds.
 * @throws ConflictError when the name is taken
 */
export async function createSchedule(
  db: Database,
  params: {
    id: string;
    name: string;
    definition: ScheduleSpec;
    cursor?: number;
    nextAt?: number;
    now: number;
    audit?: AuditOf<ScheduleSpec>;
  },
): Promise<ScheduleRecord> {
  const { now, audit, ...schedule } = params;
  const row = await inside(db).transaction(async (sql) => {
    const made = await sql.row<ScheduleRow>(INSERT, [toJson([schedule]), now]);
    if (made && audit) await writeAudit(sql, audit(undefined, schedule.definition));
    return made;
  });
  if (row) return scheduleRecord(row);
  const text = `there is a schedule "${params.name}" already: choose another name, or delete it first`;
  throw new ConflictError(text);
}

/** The schedule of this name; undefined when there is none. */
export async function getSchedule(db: Database, name: string): Promise<ScheduleRecord | undefined> {
  const row = await inside(db).row<ScheduleRow>(
    `select ${SCHEDULE_SELECT} from schedule s where s.name = $1`,
    [name],
  );
  return row && scheduleRecord(row);
}

/** Asked in the transaction of a change, with the schedule as it is and nobody else can change it; it throws so that nothing is changed. */
interface Checked {
  readonly check?: (schedule: ScheduleRecord) => void;
}

const DELETE = `delete from schedule s where s.name = $1 and s.version = coalesce($2::integer, s.version)
  returning ${SCHEDULE_SELECT}`;

/**
 * Removes a schedule and what was to come of it. What became of it before stays, and so do its jobs, with the schedule's name. False when
 * there is none.
 * @param options.version only if it has this version
 * @param options.check gets it as it is, locked; what it throws leaves it there
 */
export async function deleteSchedule(
  db: Database,
  name: string,
  options: Checked & { readonly version?: number | undefined; readonly audit?: AuditOf<ScheduleSpec> } = {},
): Promise<boolean> {
  const { version = null, audit, check } = options;
  return inside(db).transaction(async (sql) => {
    // This waits for a pass that has the schedule locked; the trigger sees what that pass has written.
    const row = await sql.row<ScheduleRow>(DELETE, [name, version]);
    if (!row) return false;
    const deleted = scheduleRecord(row);
    check?.(deleted);
    if (audit) await writeAudit(sql, audit(deleted.definition, undefined));
    return true;
  });
}

const PAUSE = `update schedule s set paused_at = ${at('$2')}, paused_by = $3, pause_note = $4, paused_until = ${at('$5')},
    updated_at = ${at('$2')}
  where s.id = $1 returning ${SCHEDULE_SELECT}`;

/**
 * Holds a schedule back: its times are passed by, and stand in history as skipped, until it is resumed, or until `until`. A
 * second pause changes nothing. Undefined when there is no such schedule. Times in Unix milliseconds.
 * @param params.check gets it as it is, locked; what it throws leaves it so
 */
export async function pauseSchedule(
  db: Database,
  params: Checked & {
    name: string;
    by: string;
    note?: string;
    until?: number;
    now: number;
    audit?: AuditOf<SchedulePause>;
  },
): Promise<ScheduleRecord | undefined> {
  const { name, by, note = null, until = null, now, audit, check } = params;
  return inside(db).transaction(async (sql) => {
    const schedule = await settleSchedule(sql, { name, now });
    if (schedule) check?.(schedule);
    if (schedule === undefined || isPaused(schedule, now)) return schedule;
    const row = await sql.row<ScheduleRow>(PAUSE, [schedule.id, now, by, note, until]);
    const paused = row && scheduleRecord(row);
    if (paused && audit) await writeAudit(sql, audit(schedule.paused, paused.paused));
    return paused;
  });
}

const RESUME = `update schedule s set paused_at = null, paused_by = null, pause_note = null, paused_until = null,
    counted_from = ${at('$2')}, updated_at = ${at('$2')}
  where s.id = $1 returning ${SCHEDULE_SELECT}`;

/**
 * Ends a pause: what fell into it is not caught up, and stands in history as skipped. A schedule that is not paused stays as it is.
 * Undefined when there is no such schedule. @param params.now Unix milliseconds
 * @param params.check gets it as it is, locked; what it throws leaves it so
 */
export async function resumeSchedule(
  db: Database,
  params: Checked & { name: string; now: number; audit?: AuditOf<SchedulePause> },
): Promise<ScheduleRecord | undefined> {
  const { now, audit, check } = params;
  return inside(db).transaction(async (sql) => {
    const schedule = await settleSchedule(sql, params);
    if (schedule) check?.(schedule);
    if (!schedule?.paused) return schedule;
    const row = await sql.row<ScheduleRow>(RESUME, [schedule.id, now]);
    if (row && audit) await writeAudit(sql, audit(schedule.paused, undefined));
    return row && scheduleRecord(row);
  });
}

/** Whether a schedule is held back at `now`, Unix milliseconds. */
export function isPaused({ paused }: Pick<ScheduleRecord, 'paused'>, now: number): boolean {
  return paused !== undefined && (paused.until === undefined || now < paused.until);
}
