import type { ScheduleState } from '@jetbeat/core';
import { type Database, inside } from './database.ts';
import { SCHEDULE_SELECT, type ScheduleRecord, type ScheduleRow, scheduleRecord } from './schedule-record.ts';
import { at } from './sql.ts';

/** Which schedules to list. */
export interface ListSchedulesParams {
  readonly task?: string;
  readonly states?: readonly ScheduleState[];
  /** A part of the name, in any case. */
  readonly search?: string;
  /** Labels that it has; without a value any will do. */
  readonly labels?: readonly { readonly name: string; readonly value?: string }[];
  readonly limit: number;
  /** The last name of the page before. */
  readonly after?: string;
}

const STATE = `case when s.problem is not null then 'problem' when s.finished_at is not null then 'finished'
  when s.paused_at is not null and (s.paused_until is null or s.paused_until > clock_timestamp()) then 'paused' else 'active' end`;

/** Schedules in the order of their names. */
export async function listSchedules(db: Database, params: ListSchedulesParams): Promise<ScheduleRecord[]> {
  const { task, states, search, labels = [], limit, after } = params;
  const values: unknown[] = [limit];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where: string[] = [];
  if (after !== undefined) where.push(`s.name > ${bind(after)}`);
  if (task !== undefined) where.push(`s.definition->'job'->>'task' = ${bind(task)}`);
  if (states !== undefined) where.push(`${STATE} = any(${bind(states)}::text[])`);
  if (search !== undefined) where.push(`strpos(lower(s.name), lower(${bind(search)})) > 0`);
  for (const { name, value } of labels) {
    where.push(`s.definition->'labels' ? ${bind(name)}`);
    if (value !== undefined) where.push(`s.definition->'labels'->>${bind(name)} = ${bind(value)}`);
  }
  const matching = where.length === 0 ? '' : `where ${where.join(' and ')}`;
  const rows = await inside(db).rows<ScheduleRow>(
    `select ${SCHEDULE_SELECT} from schedule s ${matching} order by s.name limit $1`,
    values,
  );
  return rows.map(scheduleRecord);
}

/**
 * The schedules that fire up to a time, the one that is next first; a paused one that goes on before that is among them.
 * @param params.upTo Unix milliseconds
 */
export async function firingSchedules(
  db: Database,
  params: { readonly upTo: number; readonly task?: string; readonly limit: number },
): Promise<ScheduleRecord[]> {
  const { upTo, task, limit } = params;
  const ofTask = task === undefined ? '' : `and s.definition->'job'->>'task' = $3`;
  const rows = await inside(db).rows<ScheduleRow>(
    `select ${SCHEDULE_SELECT} from schedule s
     where s.next_at <= ${at('$1')} and s.problem is null and (s.paused_at is null or s.paused_until < ${at('$1')}) ${ofTask}
     order by s.next_at, s.id limit $2`,
    [upTo, limit, ...(task === undefined ? [] : [task])],
  );
  return rows.map(scheduleRecord);
}
