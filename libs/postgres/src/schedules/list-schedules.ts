import type { ScheduleState } from '@jetbeat/core/http';
import { type Database, inside } from '../database/database.ts';
import { at } from '../database/sql.ts';
import {
  type ListedSchedule,
  type ListedScheduleRow,
  listedPage,
  listedSchedule,
  MAX_LISTED_BYTES,
  timedPage,
} from './listed-schedule.ts';
import { type ScheduleRecord, scheduleRecord } from './schedule-record.ts';

/** The schedules of some queues: those that name one of them, and those that name none and have one of these tasks. */
export interface ScheduleScope {
  readonly queues: readonly string[];
  readonly tasks: readonly string[];
}

/** Which schedules to list. */
export interface ListSchedulesParams {
  readonly task?: string;
  readonly states?: readonly ScheduleState[];
  /** A part of the name, in any case. */
  readonly search?: string;
  /** Labels that it has; without a value any will do. */
  readonly labels?: readonly { readonly name: string; readonly value?: string }[];
  /** Only those of which the jobs go into these queues. */
  readonly scope?: ScheduleScope | undefined;
  readonly limit: number;
  /** The last name of the page before. */
  readonly after?: string;
}

const STATE = `case when s.problem is not null then 'problem' when s.finished_at is not null then 'finished'
  when s.paused_at is not null and (s.paused_until is null or s.paused_until > clock_timestamp()) then 'paused' else 'active' end`;

/** A page of schedules. */
export interface SchedulesPage {
  readonly schedules: readonly ListedSchedule[];
  /** The name behind which it goes on; absent: that was all. */
  readonly next?: string;
}

/**
 * Schedules in the order of their names, what is large of them cut. A page is a few megabytes at most, whatever they hold: it may end
 * before `limit`, and go on.
 * @param params.budget bytes that their definitions may have
 */
export async function listSchedules(
  db: Database,
  params: ListSchedulesParams & { readonly budget?: number },
): Promise<SchedulesPage> {
  const { limit, budget = MAX_LISTED_BYTES } = params;
  // One more tells that there are more.
  const values: unknown[] = [limit + 1, budget];
  const matching = matchingOf(params, (value) => `$${values.push(value)}`);
  const page = `select s.id from schedule s ${matching} order by s.name limit $1`;
  const rows = await inside(db).rows<ListedScheduleRow>(
    listedPage(page, { order: 's.name', budget: '$2' }),
    values,
  );
  const schedules = rows.slice(0, limit).map(listedSchedule);
  const last = schedules.at(-1);
  const isAll = schedules.length === (rows[0]?.found ?? 0);
  return { schedules, ...(last === undefined || isAll ? {} : { next: last.name }) };
}

/** Names of schedules, in their order, at most so many. */
export async function scheduleNames(
  db: Database,
  params: { readonly scope: ScheduleScope | undefined; readonly limit: number },
): Promise<string[]> {
  const { scope, limit } = params;
  const values: unknown[] = [limit];
  const matching = matchingOf({ scope }, (value) => `$${values.push(value)}`);
  const rows = await inside(db).rows<{ name: string }>(
    `select s.name from schedule s ${matching} order by s.name limit $1`,
    values,
  );
  return rows.map(({ name }) => name);
}

/** Which schedules to count. */
export type CountSchedulesParams = Omit<ListSchedulesParams, 'limit' | 'after'>;

/** How many schedules there are, counted up to `most`. */
export async function countSchedules(
  db: Database,
  params: CountSchedulesParams,
  most: number,
): Promise<{ readonly value: number; readonly capped: boolean }> {
  const values: unknown[] = [most + 1];
  const matching = matchingOf(params, (value) => `$${values.push(value)}`);
  const row = await inside(db).row<{ count: number }>(
    `select count(*)::int as count from (select 1 from schedule s ${matching} limit $1) found`,
    values,
  );
  const count = row?.count ?? 0;
  return { value: Math.min(count, most), capped: count > most };
}

/** How many schedules there are in each state. */
export async function schedulesByState(
  db: Database,
  params: CountSchedulesParams,
): Promise<Map<ScheduleState, number>> {
  const values: unknown[] = [];
  const matching = matchingOf(params, (value) => `$${values.push(value)}`);
  const rows = await inside(db).rows<{ state: ScheduleState; count: number }>(
    `select ${STATE} as state, count(*)::int as count from schedule s ${matching} group by 1`,
    values,
  );
  return new Map(rows.map(({ state, count }) => [state, count]));
}

function matchingOf(
  params: CountSchedulesParams & { readonly after?: string },
  bind: (value: unknown) => string,
): string {
  const { task, states, search, labels = [], scope, after } = params;
  const where: string[] = [];
  if (after !== undefined) where.push(`s.name > ${bind(after)}`);
  if (task !== undefined) where.push(`s.definition->'job'->>'task' = ${bind(task)}`);
  if (scope !== undefined) where.push(inScope(scope, bind));
  if (states !== undefined) where.push(`${STATE} = any(${bind(states)}::text[])`);
  if (search !== undefined) where.push(`strpos(lower(s.name), lower(${bind(search)})) > 0`);
  for (const { name, value } of labels) {
    where.push(`s.definition->'labels' ? ${bind(name)}`);
    if (value !== undefined) where.push(`s.definition->'labels'->>${bind(name)} = ${bind(value)}`);
  }
  return where.length === 0 ? '' : `where ${where.join(' and ')}`;
}

function inScope({ queues, tasks }: ScheduleScope, bind: (value: unknown) => string): string {
  const job = `s.definition->'job'`;
  return `case when coalesce(jsonb_typeof(${job}->'queue'), 'null') = 'null'
    then ${job}->>'task' = any(${bind([...tasks])}::text[]) else ${job}->>'queue' = any(${bind([...queues])}::text[]) end`;
}

/** The tasks of the schedules that name no queue. */
export async function unplacedTasks(db: Database): Promise<string[]> {
  const rows = await inside(db).rows<{ task: string }>(
    `select distinct s.definition->'job'->>'task' as task from schedule s
     where coalesce(jsonb_typeof(s.definition->'job'->'queue'), 'null') = 'null' and s.definition->'job'->>'task' is not null`,
  );
  return rows.map(({ task }) => task);
}

/** A schedule that will fire; of its job only the task is there. */
export type FiringSchedule = Pick<
  ScheduleRecord,
  'name' | 'definition' | 'createdAt' | 'runs' | 'nextAt' | 'paused'
>;

/** What rules may take that one look into the future goes by, bytes. */
const MAX_RULE_BYTES = 8 * 1024 ** 2;

/**
 * The schedules that fire up to a time, the one that is next first; a paused one that goes on before that is among them.
 * @param params.upTo Unix milliseconds
 * @returns `whole`: there are no more than these
 */
export async function firingSchedules(
  db: Database,
  params: {
    readonly upTo: number;
    readonly task?: string;
    readonly scope?: ScheduleScope | undefined;
    readonly limit: number;
    /** Bytes that their rules may have. */
    readonly budget?: number;
  },
): Promise<{ readonly schedules: readonly FiringSchedule[]; readonly whole: boolean }> {
  const { upTo, task, scope, limit, budget = MAX_RULE_BYTES } = params;
  const values: unknown[] = [upTo, limit + 1, budget];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const ofTask = task === undefined ? '' : `and s.definition->'job'->>'task' = ${bind(task)}`;
  const ofScope = scope === undefined ? '' : `and ${inScope(scope, bind)}`;
  const page = `select s.id from schedule s
    where s.next_at <= ${at('$1')} and s.problem is null and (s.paused_at is null or s.paused_until < ${at('$1')}) ${ofTask} ${ofScope}
    order by s.next_at, s.id limit $2`;
  const rows = await inside(db).rows<ListedScheduleRow>(
    timedPage(page, { order: 's.next_at, s.id', budget: '$3' }),
    values,
  );
  const schedules = rows.slice(0, limit).map(scheduleRecord);
  return { schedules, whole: schedules.length === (rows[0]?.found ?? 0) };
}
