import { PLAN_ORIGIN } from '@jetbeat/core';
import { toJson } from '../database/json.ts';
import { at, type Sql } from '../database/sql.ts';

// Each stretch begins at the row before the first one that has changed, which is where equal ones may go on.
const FOLD = `with changed as (
    select "scheduleId" as id, min("nominalTime") as first, max("nominalTime") as last
    from json_to_recordset($1::json) as x("scheduleId" uuid, "nominalTime" float8) group by 1),
  stretch as (
    select c.id, ${at('c.last')} as upto, coalesce((select p.nominal_time from occurrence p
      where p.schedule_id = c.id and p.nominal_time < ${at('c.first')} and p.origin = '${PLAN_ORIGIN}'
      order by p.nominal_time desc limit 1), ${at('c.first')}) as since
    from changed c),
  rows as (
    select o.schedule_id, o.nominal_time, o.state, o.reason, o.count, coalesce(o.to_time, o.nominal_time) as last,
      row_number() over (partition by o.schedule_id order by o.nominal_time)
        - row_number() over (partition by o.schedule_id, o.state, o.reason order by o.nominal_time) as island
    from stretch s join occurrence o on o.schedule_id = s.id and o.nominal_time between s.since and s.upto
    where o.origin = '${PLAN_ORIGIN}'),
  islands as (
    select schedule_id, state, reason, island, min(nominal_time) as head, max(last) as last, sum(count) as count
    from rows where state in ('skipped', 'missed') group by 1, 2, 3, 4 having count(*) > 1),
  gone as (
    delete from occurrence o using rows r join islands i using (schedule_id, state, reason, island)
    where o.schedule_id = r.schedule_id and o.nominal_time = r.nominal_time and o.origin = '${PLAN_ORIGIN}'
      and r.nominal_time <> i.head)
  update occurrence o set count = i.count, to_time = i.last from islands i
  where o.schedule_id = i.schedule_id and o.nominal_time = i.head and o.origin = '${PLAN_ORIGIN}'`;

/**
 * Folds neighbouring nominal times of a schedule's own rule that did not run, and for the same reason, into one row; the row before
 * the changed ones is taken in. The schedules are locked by the caller.
 * @param changed rows that are new, or have just been decided
 */
export async function foldNonRuns(
  sql: Sql,
  changed: readonly { readonly scheduleId: string; readonly nominalTime: number }[],
): Promise<void> {
  if (changed.length > 0) await sql.run(FOLD, [toJson(changed)]);
}
