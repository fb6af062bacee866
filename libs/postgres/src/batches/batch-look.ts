import type { Database } from '../database/database.ts';
import { isTooSlow } from '../database/errors.ts';
import type { Sql } from '../database/sql.ts';
import { chooseLead, isOneOf } from '../jobs/choose-lead.ts';
import type { JobConditions, Lead } from '../jobs/job-filter.ts';
import { retriedOf } from '../jobs/retries.ts';
import type { within } from '../jobs/searching.ts';
import { binder, oldestOf } from '../jobs/walk-jobs.ts';

/** How long looking for jobs may take. */
export interface LookTime {
  /** The next statement, milliseconds. */
  stepMs(): number;
  /** Runs a statement. */
  readonly run: typeof within;
  /** @param hasCome whether it has got on at all */
  isUp(hasCome: boolean): boolean;
}

/** So few are tried last when more take too long. */
const LEAST_STEP = 20;
/** Jobs that are asked for their retries at once. */
const CHUNK = 500;

/** The index by which the fewest jobs have to be looked at from `begin` on, as far as that can be told in time. */
export async function leadOf(
  db: Database,
  params: {
    readonly conditions: JobConditions;
    readonly begin: string | undefined;
    readonly time: LookTime;
  },
): Promise<Lead | undefined> {
  const { conditions, begin, time } = params;
  const ahead = { ...conditions, ...(begin === undefined ? {} : { from: begin }) };
  const best = await time
    .run(db, time.stepMs(), (sql) => chooseLead(sql, conditions, { walked: ahead }))
    .catch(orTooSlow);
  return best ?? conditions.leads[0];
}

/**
 * Leaves out the jobs that were retried, until there are enough.
 * @returns `through`: that took too long, and only those up to this one were asked; undefined: none was
 */
export async function unretried(
  db: Database,
  ids: readonly string[],
  { most, time }: { readonly most: number; readonly time: LookTime },
): Promise<{ readonly ids: readonly string[]; readonly through?: string | undefined }> {
  const fit: string[] = [];
  for (let at = 0; at < ids.length && fit.length < most; at += CHUNK) {
    const chunk = ids.slice(at, at + CHUNK);
    const retried = await time.run(db, time.stepMs(), (sql) => retriedOf(sql, chunk)).catch(orTooSlow);
    if (!retried) return { ids: fit, through: ids[at - 1] };
    fit.push(...chunk.filter((id) => !retried.has(id)));
  }
  return { ids: fit };
}

/**
 * Looks at the next jobs: where that takes too long, at fewer of them.
 * @returns with how many it was done; undefined where even a few took too long
 */
export async function lookInTime(
  db: Database,
  params: Omit<Look, 'rows'> & { readonly rows: number; readonly time: LookTime; readonly hasCome: boolean },
): Promise<(Found & { readonly rows: number }) | undefined> {
  const { time, hasCome } = params;
  let rows = params.rows;
  do {
    const found = await time.run(db, time.stepMs(), (sql) => look(sql, { ...params, rows })).catch(orTooSlow);
    if (found) return { ...found, rows };
    if (rows <= LEAST_STEP) return undefined;
    rows = Math.max(LEAST_STEP, Math.floor(rows / 10));
  } while (!time.isUp(hasCome));
  return undefined;
}

/** For what was given up: nothing was found. */
function orTooSlow(error: unknown): undefined {
  if (!isTooSlow(error)) throw error;
}

interface Look {
  readonly conditions: JobConditions;
  readonly lead: Lead | undefined;
  /** Those above this id; undefined: from the first one on. */
  readonly after: string | undefined;
  readonly rows: number;
}

interface Found {
  readonly ids: readonly string[];
  readonly looked: number;
  /** All up to this id were looked at; absent: there are no more. */
  readonly edge?: string;
}

interface Looked {
  readonly looked: number;
  readonly last: string | null;
  readonly ids: readonly string[] | null;
}

/** Looks at the next jobs of each value of the lead, and tells how far all of them were looked at. */
async function look(sql: Sql, { conditions, lead, after, rows }: Look): Promise<Found> {
  const each = Math.max(1, Math.ceil(rows / (lead?.values.length ?? 1)));
  const { values, bind } = binder([each]);
  const { leads, rest } = conditions;
  const others = leads.filter((one) => one !== lead).map((one) => isOneOf(one, bind(one.values)));
  const fits = [...others, ...rest.map((part) => part(bind))].join(' and ') || 'true';
  const select = `j.id, (${fits}) as fits`;
  const walk = oldestOf(lead, { select, walked: { ...conditions, above: after }, limit: '$1', bind });
  const found = await sql.rows<Looked>(
    `select found.* from ${walk.each} cross join lateral (
       select count(*)::int as looked, max(l.id::text collate "C") as last,
         array_agg(l.id order by l.id) filter (where l.fits) as ids
       from (${walk.next}) l) found`,
    values,
  );
  // Where one value has more, what is newer of the others is looked at when that one has come as far.
  const edge = found.flatMap(({ looked, last }) => (looked < each || last === null ? [] : [last])).sort()[0];
  const ids = found.flatMap((one) => one.ids ?? []).filter((id) => edge === undefined || id <= edge);
  const looked = found.reduce((sum, one) => sum + one.looked, 0);
  return { ids: ids.sort(), looked, ...(edge === undefined ? {} : { edge }) };
}
