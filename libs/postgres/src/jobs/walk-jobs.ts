import { uuidTime, uuidV7 } from '@jetbeat/core';
import type { How } from '../database/sql.ts';
import type { Bind, JobConditions, Lead } from './job-filter.ts';

/** Where a walk through jobs stands: below this id, newest first. */
export interface WalkFrom {
  readonly below?: string | undefined;
}

/** Which jobs a walk goes through. */
export type Walked = Pick<JobConditions, 'from' | 'to'> & WalkFrom;

const DAY_MS = 86_400_000;
/** How far back it is looked first, and then; most pages are full by then. */
const WINDOWS = [2 * DAY_MS, 16 * DAY_MS];
/** Makes the least id of a time. */
const NO_BYTES = new Uint8Array(10);

/**
 * Parts a walk by time, the newest part first: what reaches back a few days has to do with a few partitions, and to plan for all that there
 * are costs more than to read a page.
 * @param now Unix milliseconds; absent: it is not parted, unless it is bounded
 */
export function windowsOf(walked: Walked, now: number | undefined): readonly Walked[] {
  const { from, to, below } = walked;
  const times = [to, below].flatMap((id) => (id === undefined ? [] : [uuidTime(id)]));
  const newest = Math.min(now ?? Number.POSITIVE_INFINITY, ...times);
  if (!Number.isFinite(newest)) return [walked];
  const floors = WINDOWS.map((ms) => uuidV7(newest - ms, NO_BYTES)).filter(
    (floor) => from === undefined || floor > from,
  );
  const windows = floors.map((floor, index) => ({
    ...walked,
    from: floor,
    below: floors[index - 1] ?? below,
  }));
  return [...windows, { ...walked, below: floors.at(-1) ?? below }];
}

/**
 * The parts of a walk, and how each is to be read. One without bounds is read as a whole, by a plan that connections keep. One with bounds is
 * planned anew for these, part by part: a plan for any bounds would take them for narrow, and read and sort whatever lies between.
 */
export function readingsOf(
  walked: Walked,
  now: number | undefined,
): { readonly windows: readonly Walked[]; readonly how: How } {
  const isBounded = walked.from !== undefined || walked.to !== undefined || walked.below !== undefined;
  return isBounded
    ? { windows: windowsOf(walked, now), how: {} }
    : { windows: [walked], how: { prepared: true } };
}

/** A walk, as SQL: `newest` is to be joined to `each`, which has one row for each value of the lead, `v.value`, the `v.n`-th of them. */
export interface Walk {
  readonly each: string;
  readonly newest: string;
}

/** Binds values for one statement. */
export function binder(first: readonly unknown[] = []): { readonly values: unknown[]; readonly bind: Bind } {
  const values = [...first];
  return { values, bind: (value) => `$${values.push(value)}` };
}

/**
 * SQL of a walk through jobs, newest first: of each value of a lead by its index, else by the primary key.
 *
 * The column is bounded from both sides rather than equated, and the order names it too, which only its index can serve. Were it equated, the
 * planner could as well take the primary key and look at every job that there is, where it believes that many have the value.
 * @param what.select what to take of a job
 * @param what.limit SQL: how many of each value
 * @param what.how how it is to be run
 */
export function newestOf(
  lead: Lead | undefined,
  what: { select: string; walked: Walked; limit: string; bind: Bind; how?: How },
): Walk {
  const { select, walked, limit, bind, how } = what;
  const { where, by } = walkOf(lead, walked, bind);
  const order = by.map((column) => `${column} desc`).join(', ');
  return {
    each: eachOf(lead, bind, how),
    newest: `select ${select} from job j where ${where} order by ${order} limit ${limit}`,
  };
}

/**
 * The same the other way round: oldest first, from above an id on.
 * @returns `next` is to be joined to `each`
 */
export function oldestOf(
  lead: Lead | undefined,
  what: {
    select: string;
    walked: Pick<JobConditions, 'from' | 'to'> & { readonly above: string | undefined };
    limit: string;
    bind: Bind;
  },
): { readonly each: string; readonly next: string } {
  const { select, walked, limit, bind } = what;
  const { where, by } = walkOf(lead, walked, bind);
  return {
    each: eachOf(lead, bind),
    next: `select ${select} from job j where ${where} order by ${by.join(', ')} limit ${limit}`,
  };
}

/** The values of a lead and their places, a row each. */
function eachOf(lead: Lead | undefined, bind: Bind, { prepared = false }: How = {}): string {
  const [value = '', ...more] = lead?.values ?? [];
  if (more.length > 0) return `unnest(${bind([value, ...more])}::text[]) with ordinality as v(value, n)`;
  // Of one the planner knows that it is one, and what it is. With a plan that is kept it must not: where it finds the value to be
  // frequent it believes its own plan to be cheaper, and plans each time anew.
  return `(select ${bind(value)}::text as value, 1 as n${prepared ? ' offset 0' : ''}) v`;
}

/** Conditions of a walk whose value is `v.value`, and the columns of its order. */
function walkOf(
  lead: Lead | undefined,
  walked: Walked & { readonly above?: string | undefined },
  bind: Bind,
): { where: string; by: readonly string[] } {
  const { to, below, above } = walked;
  // What was walked through lies within the bounds.
  const from = above ?? walked.from;
  const atLeast = above === undefined ? '>=' : '>';
  const [upper] = [to, below].filter((id) => id !== undefined).sort();
  const [least, most] = [from, upper].map((id) => (id === undefined ? undefined : `${bind(id)}::uuid`));
  // By the id alone it can be told in which partitions there is nothing to be found.
  const where = [...(least ? [`j.id ${atLeast} ${least}`] : []), ...(most ? [`j.id < ${most}`] : [])];
  if (lead === undefined) return { where: where.join(' and ') || 'true', by: ['j.id'] };
  if (lead.column === 'id') {
    where.push('j.id = v.value::uuid');
    return { where: where.join(' and '), by: ['j.id'] };
  }
  const column = `j.${lead.column}`;
  where.push(least ? `(${column}, j.id) ${atLeast} (v.value, ${least})` : `${column} >= v.value`);
  where.push(most ? `(${column}, j.id) < (v.value, ${most})` : `${column} <= v.value`);
  // The index leaves these out, and has to be told so.
  if (lead.column === 'schedule_name') where.push(`${column} is not null`);
  return { where: where.join(' and '), by: [column, 'j.id'] };
}
