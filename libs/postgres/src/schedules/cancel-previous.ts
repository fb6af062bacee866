import { replacedReason } from '@jetbeat/core';
import { toJson } from '../database/json.ts';
import { at, type Sql } from '../database/sql.ts';
import type { Decided } from './decided.ts';
import { bufferKey, laneOf } from './due-occurrences.ts';

// Locked in the order of their ids, which all writers of jobs keep. What an operator has retried is not the schedule's own to take back.
const CANCEL = `with open as (
    select j.id from job j join json_to_recordset($1::json) as x(schedule uuid, buffer text)
      on j.schedule_id = x.schedule and ${laneOf('j.origin')} = x.buffer
    where j.schedule_id is not null and j.finished_at is null and j.retry_of is null
    order by j.id for update of j)
  update job j set cancel_requested_at = coalesce(j.cancel_requested_at, ${at('$2')}),
    cancel_reason = coalesce(j.cancel_reason, $3)
  from open where j.id = open.id returning j.id`;

const REPLACE = `update occurrence o set state = 'skipped', reason = x.reason
  from json_to_recordset($1::json) as x(schedule uuid, nominal float8, buffer text, reason jsonb)
  where o.state = 'buffered' and o.schedule_id = x.schedule and o.nominal_time < ${at('x.nominal')}
    and ${laneOf('o.origin')} = x.buffer
  returning o.schedule_id as "scheduleId", (extract(epoch from o.nominal_time) * 1000)::float8 as "nominalTime"`;

/**
 * Asks for the cancel of the open jobs of the lanes of what is to replace them, and drops what waited for them.
 * @param now Unix milliseconds
 * @returns the jobs, and the occurrences that wait no more
 */
export async function cancelPrevious(sql: Sql, decided: readonly Decided[], now: number) {
  const last = new Map<string, Decided>();
  for (const one of decided) {
    if (one.decision.do === 'buffer' && one.decision.cancel)
      last.set(bufferKey(one.row.scheduleId, one.row.origin), one);
  }
  if (last.size === 0) return { jobs: [], replaced: [] };
  const rows = [...last].map(([key, { row }]) => ({
    schedule: row.scheduleId,
    nominal: row.nominalTime,
    buffer: key.slice(row.scheduleId.length + 1),
    reason: replacedReason(row.nominalTime),
  }));
  const replaced = await sql.rows<{ scheduleId: string; nominalTime: number }>(REPLACE, [toJson(rows)]);
  const jobs = await sql.rows<{ id: string }>(CANCEL, [
    toJson(rows),
    now,
    'the next run of its schedule takes its place',
  ]);
  return { jobs: jobs.map(({ id }) => id), replaced };
}
