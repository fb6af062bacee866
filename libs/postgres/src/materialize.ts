import type { Reason } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { toJson } from './json.ts';
import { SCHEDULE_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';
import { at, ms, type Sql } from './sql.ts';

/** One nominal time that has come, or a row of them that will not run. Times in Unix milliseconds. */
export interface PlannedOccurrence {
  readonly scheduleId: string;
  readonly nominalTime: number;
  readonly origin: string;
  readonly state: 'due' | 'missed' | 'skipped';
  readonly reason?: Reason;
  /** Nominal times folded into this row, default 1; `to` is the last of them. */
  readonly count?: number;
  readonly to?: number;
}

/** What is to be written for the schedules of one pass. */
export interface Plan {
  readonly occurrences: readonly PlannedOccurrence[];
  /** One for each schedule that was given; without `nextAt` it is finished, with a past one it is planned on in the next pass. */
  readonly schedules: readonly { readonly id: string; readonly cursor: number; readonly nextAt?: number }[];
}

const LOCK = `select ${SCHEDULE_SELECT} from schedule s
  where s.paused_at is null and s.next_at <= ${at('$1')} order by s.next_at limit $2 for update skip locked`;

// A nominal time has one row, whoever plans it, and however often.
const INSERT = `insert into occurrence (schedule_id, nominal_time, origin, state, reason, count, to_time)
  select "scheduleId", ${at('"nominalTime"')}, origin, state, reason, coalesce(count, 1), ${at('"to"')}
  from json_to_recordset($1::json) as x("scheduleId" uuid, "nominalTime" float8, origin text, state text, reason jsonb,
    count integer, "to" float8)
  on conflict do nothing`;

const ADVANCE = `update schedule s set cursor_at = ${at('x.cursor')}, next_at = ${at('x."nextAt"')}
  from json_to_recordset($1::json) as x(id uuid, cursor float8, "nextAt" float8) where s.id = x.id`;

/** The pass that dispatches commits behind this one, so that what it publishes has its plan on disk too. */
const REPEATABLE = { durable: false };

/**
 * Plans the schedules whose next time has come, in one transaction: locks them (what another pass has locked is left out), asks
 * `plan`, writes its occurrences and moves the schedules on. `plan` is pure and may be asked twice.
 */
export async function materializePass(
  db: Database,
  params: { now: number; limit: number; plan: (schedules: readonly ScheduleRecord[]) => Plan },
): Promise<{ schedules: number; occurrences: number }> {
  return inside(db).transaction(async (sql) => {
    const rows = await sql.rows<ScheduleRow>(LOCK, [params.now, params.limit]);
    if (rows.length === 0) return { schedules: 0, occurrences: 0 };
    const { occurrences, schedules } = params.plan(rows.map(scheduleRecord));
    const made = await insertOccurrences(sql, occurrences);
    await sql.run(ADVANCE, [toJson(schedules)]);
    return { schedules: rows.length, occurrences: made };
  }, REPEATABLE);
}

/** Writes occurrences that are not there yet; returns how many were. */
export async function insertOccurrences(
  sql: Sql,
  occurrences: readonly PlannedOccurrence[],
): Promise<number> {
  return occurrences.length === 0 ? 0 : sql.run(INSERT, [toJson(occurrences)]);
}

/**
 * When the passes have something to do, Unix milliseconds; may be past. Undefined when never. An occurrence that waits for
 * history does not count, since nobody knows when that comes.
 */
export async function nextWakeAt(db: Database): Promise<number | undefined> {
  const row = await inside(db).row<{ wake: number | null }>(
    `select ${ms('least(a.next, b.next)')} as wake
     from (select min(next_at) as next from schedule where paused_at is null and next_at is not null) a,
       (select min(nominal_time) as next from occurrence where state = 'due' and wait_until is null) b`,
  );
  return row?.wake ?? undefined;
}
