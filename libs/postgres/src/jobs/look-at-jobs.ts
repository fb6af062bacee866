import { type Database, inside } from '../database/database.ts';
import { isTooSlow, searchTooSlow } from '../database/errors.ts';
import type { Sql } from '../database/sql.ts';
import { isOneOf } from './choose-lead.ts';
import type { JobConditions, Lead } from './job-filter.ts';
import { searching } from './searching.ts';
import { binder, newestOf, type Walked } from './walk-jobs.ts';

/** Which jobs to look at, and for how long. */
interface LookAtJobs {
  readonly conditions: JobConditions;
  /** Along its index. */
  readonly lead: Lead | undefined;
  readonly walked: Walked;
  /** Jobs at most. */
  readonly rows: number;
  /** It is the first look of a search, and short. */
  readonly isFirst: boolean;
  /** How many are wanted that fit. */
  readonly most: number;
  /** When these milliseconds are over no further job is looked at. */
  readonly ms: number;
  /** How long the few may take that are looked at where that was too short for a single one. */
  readonly leastMs?: number | undefined;
}

/** What was seen. */
interface LookedAt {
  /** Newest first. */
  readonly ids: readonly string[];
  readonly looked: number;
  /** All down to this one were looked at; absent: there are no more. */
  readonly edge?: string;
}

/** So few are looked at then. */
const LEAST = 20;
const LEAST_MS = 1_000;

/**
 * Looks at the newest jobs of a walk as one of those who search: at no more than there is time for, and at some whatever it takes. What is
 * large of a job takes long to be looked into, and nobody can know that before.
 * Throws SearchRefusedError.
 */
export async function lookAtJobs(db: Database, params: LookAtJobs): Promise<LookedAt> {
  const { leastMs = LEAST_MS, rows, isFirst } = params;
  const few = { ...params, rows: Math.min(LEAST, rows), ms: undefined };
  try {
    const seen = await inside(db).searches(() => look(inside(db), params), { isShort: isFirst });
    return seen ?? (await searching(db, leastMs, (sql) => look(sql, few))) ?? { ids: [], looked: 0 };
  } catch (error) {
    throw isTooSlow(error) ? searchTooSlow(error) : error;
  }
}

interface Seen {
  readonly given: number;
  readonly looked: number;
  readonly last: string | null;
  readonly ids: readonly string[] | null;
}

/**
 * Looks at the newest jobs of each value of the lead, and tells how far all of them were looked at. The time is shared out among the values:
 * what the first leave over the others have.
 * @returns undefined where the time was over before one of them was begun
 */
async function look(
  sql: Sql,
  params: Omit<LookAtJobs, 'ms' | 'isFirst'> & { readonly ms: number | undefined },
): Promise<LookedAt | undefined> {
  const { conditions, lead, walked, rows, most, ms } = params;
  const parts = lead?.values.length ?? 1;
  const each = Math.max(1, Math.ceil(rows / parts));
  const { values, bind } = binder([each, most]);
  const { leads, rest } = conditions;
  const others = leads.filter((one) => one !== lead);
  const all = [...others.map((one) => isOneOf(one, bind(one.values))), ...rest.map((part) => part(bind))];
  const fits = all.length === 0 ? 'true' : `coalesce(${all.join(' and ')}, false)`;
  const inTime = ms === undefined ? 'true' : 'clock_timestamp() < t.until';
  const walk = newestOf(lead, {
    select: `j.id, case when ${inTime} then ${fits} end as fits`,
    walked,
    limit: '$1',
    bind,
  });
  const until = `statement_timestamp() + v.n * ${bind((ms ?? 0) / parts)}::float8 * interval '1 ms'`;
  const found = await sql.rows<Seen>(
    `select found.* from ${walk.each} cross join lateral (select ${until} as until offset 0) t cross join lateral (
       select count(*)::int as given, count(l.fits)::int as looked, (array_agg(l.id))[count(l.fits)::int] as last,
         (array_agg(l.id) filter (where l.fits))[1:$2] as ids
       from (${walk.newest}) l) found`,
    values,
  );
  if (found.some(({ given, looked }) => given > 0 && looked === 0)) return undefined;
  // Where one value has more, what is older of the others is looked at when that one has come as far.
  const edges = found.flatMap(({ given, looked, last }) =>
    (looked < given || given === each) && last !== null ? [last] : [],
  );
  const edge = edges.sort().at(-1);
  const ids = found.flatMap((one) => one.ids ?? []).filter((id) => edge === undefined || id >= edge);
  const looked = found.reduce((sum, one) => sum + one.looked, 0);
  return { ids: ids.sort().reverse().slice(0, most), looked, ...(edge === undefined ? {} : { edge }) };
}
