import { JOB_STATES, type JobState } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { isTooSlow, searchTooSlow } from '../database/errors.ts';
import type { How, Sql } from '../database/sql.ts';
import { chooseLead, isOneOf } from './choose-lead.ts';
import { type AskedAt, conditionsOf, type JobConditions, type JobFilter, type Lead } from './job-filter.ts';
import { type ScanBudget, scanJobs } from './scan-jobs.ts';
import { searching } from './searching.ts';
import { binder, newestOf, readingsOf } from './walk-jobs.ts';

/** How many there are. */
export interface Total {
  readonly value: number;
  /** There are more, or may be: nobody has counted further. */
  readonly capped: boolean;
}

/** Nobody pages through a million rows for one number. */
const MOST_COUNTED = 10_000;
/** Of each state, where jobs have to be looked into. */
const MOST_SEARCHED = 3_000;
/** How long a count may take; then it counts less far. Milliseconds. */
const COUNT_MS = 500;
const LEAST = 100;

/** Counts the jobs that fit, up to `most`, at a cost that does not grow with history. */
export async function countJobs(
  db: Database,
  filter: JobFilter,
  { most = MOST_COUNTED, budget, now }: AskedAt & { most?: number; budget?: ScanBudget } = {},
): Promise<Total> {
  const conditions = conditionsOf(filter);
  if (conditions.none) return { value: 0, capped: false };
  if (conditions.rest.length > 0 || conditions.leads.length > 1) {
    const { ids, edge } = await scanJobs(db, {
      conditions,
      most: most + 1,
      now,
      ...(budget ? { budget } : {}),
    });
    return capped(ids.length, most, edge !== undefined);
  }
  const limit = String(most + 1);
  let count = 0;
  const { windows, how } = readingsOf(conditions, now);
  for (const walked of windows) {
    const { values, bind } = binder();
    const walk = newestOf(conditions.leads[0], { select: 'j.id', walked, limit, bind, how });
    const row = await inside(db).row<{ count: number }>(
      `select count(*)::int as count from (select 1 from ${walk.each} cross join lateral (${walk.newest}) l limit ${limit}) found`,
      values,
      how,
    );
    count += row?.count ?? 0;
    if (count > most) break;
  }
  return capped(count, most, false);
}

function capped(count: number, most: number, isLeast: boolean): Total {
  return { value: Math.min(count, most), capped: isLeast || count > most };
}

type Counts = Map<JobState, Total>;

/**
 * Counts the jobs that fit by their states, each up to `most`, at a cost that does not grow with history. States of which there are
 * none are not in it. Throws SearchRefusedError.
 */
export async function countByState(
  db: Database,
  filter: JobFilter,
  { most = MOST_COUNTED, now }: AskedAt & { most?: number } = {},
): Promise<Counts> {
  for (let wanted = most; ; wanted = Math.floor(wanted / 10)) {
    try {
      return await searching(db, COUNT_MS, (sql) => count(sql, filter, { most: wanted, now }));
    } catch (error) {
      if (!isTooSlow(error)) throw error;
      if (wanted <= LEAST) throw searchTooSlow(error);
    }
  }
}

async function count(
  sql: Sql,
  filter: JobFilter,
  { most, now }: AskedAt & { most: number },
): Promise<Counts> {
  const conditions = conditionsOf(filter);
  if (conditions.none) return new Map();
  const states = conditions.leads.find(({ column }) => column === 'state')?.values ?? JOB_STATES;
  const others = conditions.leads.filter(({ column }) => column !== 'state');
  const rest = { ...conditions, leads: others };
  const ofStates = await byState(sql, { conditions: rest, states, most });
  if ([...ofStates.values()].every((total) => !total.capped)) return ofStates;
  const lead = await chooseLead(sql, rest, { walked: rest, now });
  if (!lead) return ofStates;
  const ofLead = await among(sql, { conditions: rest, lead, states, most });
  if (ofLead.complete) return ofLead.counts;
  // Each of both is a least number, and the greater one says more.
  for (const [state, total] of ofStates) {
    const least = ofLead.counts.get(state)?.value ?? 0;
    if (total.capped && least > total.value)
      ofStates.set(state, { value: Math.min(least, most), capped: true });
  }
  return ofStates;
}

/** Counts the newest jobs of a lead by state. */
async function among(
  sql: Sql,
  params: { conditions: JobConditions; lead: Lead; states: readonly string[]; most: number },
): Promise<{ counts: Counts; complete: boolean }> {
  const { conditions, lead, states, most } = params;
  const each = Math.ceil(most / lead.values.length) + 1;
  const { values, bind } = binder();
  const others = conditions.leads.filter((one) => one !== lead);
  const fits = [
    `j.state = any(${bind(states)}::text[])`,
    ...others.map((one) => isOneOf(one, bind(one.values))),
    ...conditions.rest.map((part) => part(bind)),
  ];
  const walk = newestOf(lead, {
    select: `j.state, (${fits.join(' and ')}) as fits`,
    walked: conditions,
    limit: String(each),
    bind,
  });
  const rows = await sql.rows<{ value: string; state: JobState; looked: number; count: number }>(
    `select v.value, l.state, count(*)::int as looked, (count(*) filter (where l.fits))::int as count
     from ${walk.each} cross join lateral (${walk.newest}) l group by v.value, l.state`,
    values,
    howOf(conditions),
  );
  const ofValues = [...Map.groupBy(rows, ({ value }) => value).values()];
  const complete = ofValues.every((of) => of.reduce((sum, row) => sum + row.looked, 0) < each);
  const counts: Counts = new Map();
  for (const { state, count } of rows) {
    const value = (counts.get(state)?.value ?? 0) + count;
    if (value > 0) counts.set(state, { value, capped: !complete });
  }
  return { counts, complete };
}

/** Counts the newest jobs of each state. */
async function byState(
  sql: Sql,
  params: { conditions: JobConditions; states: readonly string[]; most: number },
): Promise<Counts> {
  const { conditions, states, most } = params;
  const { values, bind } = binder();
  const { leads, rest } = conditions;
  const each = rest.length === 0 ? most : Math.min(most, MOST_SEARCHED);
  const fits = [...leads.map((one) => isOneOf(one, bind(one.values))), ...rest.map((part) => part(bind))];
  const walk = newestOf(
    { column: 'state', values: states },
    {
      select: `${fits.join(' and ') || 'true'} as fits`,
      walked: conditions,
      limit: String(each + 1),
      bind,
    },
  );
  const rows = await sql.rows<{ state: JobState; looked: number; count: number }>(
    `select v.value as state, count(*)::int as looked, (count(*) filter (where l.fits))::int as count
     from ${walk.each} cross join lateral (${walk.newest}) l group by v.value`,
    values,
    howOf(conditions),
  );
  return new Map(
    rows
      .filter(({ looked, count }) => count > 0 || looked > each)
      .map(({ state, looked, count }) => [state, { value: Math.min(count, most), capped: looked > each }]),
  );
}

/** Of what is searched for there are any number of texts. */
function howOf(conditions: JobConditions): How {
  return conditions.rest.length === 0 ? readingsOf(conditions, undefined).how : {};
}
