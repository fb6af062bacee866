import { type AuditEntry, type AuditNote, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { at, type Sql } from '../database/sql.ts';
import { pauseOf, SCHEDULE_REST, type ScheduleRecord, type ScheduleRow } from './schedule-record.ts';

/** Who is said to have paused a schedule that failed too often. */
const BY = 'jetbeat';
/** The same for the audit log. */
const NOTE: AuditNote = { actor: { kind: 'system', id: BY, name: 'Jetbeat', role: 'admin' } };
/** Schedules of one look. */
const LOOK_LIMIT = 1_000;

// A pause that is over counts as none, once everything up to now is planned: planning needs it for the times within it.
const notPaused = (now: string) =>
  `(s.paused_at is null or (s.paused_until <= ${at(now)} and coalesce(s.next_at > ${at(now)}, true)))`;

const WATCHED = `select s.id, s.definition->'pauseAfterFailures' as count from schedule s
  where (s.definition->'pauseAfterFailures') is not null and ${notPaused('$3')} and s.id > $1 order by s.id limit $2`;

// The time is in the id, so this reads the newest jobs of the schedule and no others.
const PAUSE = `update schedule s set paused_at = ${at('$3')}, paused_by = '${BY}', paused_until = null,
    pause_note = $2::int || case when $2::int = 1 then ' run' else ' runs' end || ' in a row failed, last: job ' || f.job ||
      coalesce(' (' || left(f.why, 500) || ')', '')
  from (select w.id, (array_agg(r.id order by r.id desc))[1] as job,
      (array_agg(r.reason->>'text' order by r.id desc))[1] as why
    from schedule w, lateral (
      select j.id, j.state, j.reason from job j
      where j.schedule_name = w.name and j.schedule_id = w.id and j.finished_at is not null
        and j.created_at > coalesce(greatest(w.counted_from, w.paused_until), '-infinity')
      order by j.id desc limit $2::int) r
    where w.id = any($1::uuid[])
    group by w.id having count(*) = $2::int and count(*) filter (where r.state = 'dead') = $2::int) f
  where s.id = f.id and ${notPaused('$3')} returning ${SCHEDULE_REST}`;

/** A schedule that is paused after so many failures in a row. */
export interface Watched {
  readonly id: string;
  /** What is no whole number above 0 is passed over: somebody has written it in plain SQL. */
  readonly count: unknown;
}

/** A schedule that has failed too often. */
export type PausedSchedule = Pick<ScheduleRecord, 'id' | 'name' | 'paused'>;

/**
 * Pauses those of the schedules whose last jobs are all dead, as many as their `pauseAfterFailures` says; what ran before
 * a pause ended does not count.
 * @param params.now Unix milliseconds
 * @returns them as they are now
 */
export async function pauseFailing(
  sql: Sql,
  params: { schedules: readonly Watched[]; now: number },
): Promise<PausedSchedule[]> {
  const byCount = Map.groupBy(params.schedules, ({ count }) => count);
  const found: PausedSchedule[] = [];
  for (const [count, schedules] of byCount) {
    if (!Number.isSafeInteger(count) || Number(count) < 1) continue;
    const ids = schedules.map(({ id }) => id);
    const rows = await sql.rows<Omit<ScheduleRow, 'definition' | 'superseded'>>(PAUSE, [
      ids,
      count,
      params.now,
    ]);
    for (const row of rows) {
      const paused = pauseOf(row);
      found.push({ id: row.id, name: row.name, ...(paused === undefined ? {} : { paused }) });
    }
  }
  const entries = found.map(
    ({ name, paused: pause }): AuditEntry => ({
      note: NOTE,
      action: 'schedule.pause',
      target: { kind: 'schedule', id: name },
      after: { paused: { by: BY, note: pause?.note } },
    }),
  );
  await writeAudit(sql, ...entries);
  return found;
}

/** Looks at all schedules that are paused after failures; returns those that it has paused. @param now Unix milliseconds */
export async function pauseAllFailing(db: Database, now: number): Promise<PausedSchedule[]> {
  const paused: PausedSchedule[] = [];
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const schedules = await inside(db).rows<Watched>(WATCHED, [after, LOOK_LIMIT, now]);
    if (schedules.length > 0)
      paused.push(...(await inside(db).transaction((sql) => pauseFailing(sql, { schedules, now }))));
    const last = schedules.at(-1);
    if (last === undefined || schedules.length < LOOK_LIMIT) return paused;
    after = last.id;
  }
}
