import { type Database, inside } from './database.ts';
import { isTooSlow, SearchRefusedError, searchTooSlow } from './errors.ts';
import type { AskedAt, JobConditions, Lead } from './job-filter.ts';
import type { Sql } from './sql.ts';
import { binder, newestOf, type Walked, type WalkFrom, windowsOf } from './walk-jobs.ts';

/** How far one call may look. */
export interface ScanBudget {
  /** Jobs at most. */
  readonly rows: number;
  /** No further step is begun after so many milliseconds. */
  readonly ms: number;
  /** A step that takes longer is given up, and a shorter one taken. Milliseconds. */
  readonly stepMs?: number;
}

/** What a scan has found. */
export interface Scan {
  /** Newest first. */
  readonly ids: readonly string[];
  /** The last id that was looked at; absent: all were. */
  readonly edge?: string;
}

/** As long as one answer should take, on a machine that does other things too. */
const SCAN_BUDGET: ScanBudget = { rows: 10_000, ms: 80 };
/** Jobs of each step: most searches find what they look for among the newest. */
const STEPS = [200, 2_000];
const STEP_MS = 1_000;
const LEAST_STEP = 20;
/** Entries of each index that are looked at to choose one. */
const PROBE = 2_000;

interface Look {
  readonly looked: number;
  readonly last: string | null;
  readonly ids: readonly string[] | null;
}

/**
 * Walks through jobs, newest first, and looks at each one, until `most` fit or the budget is used up. Of several indexes that could
 * lead it takes the one that gets furthest back in time. Throws SearchRefusedError.
 */
export async function scanJobs(
  db: Database,
  params: WalkFrom & AskedAt & { conditions: JobConditions; most: number; budget?: ScanBudget },
): Promise<Scan> {
  const { conditions, below, now, most, budget = SCAN_BUDGET } = params;
  const { stepMs = STEP_MS } = budget;
  const begun = performance.now();
  const [newest = conditions, ...older] = windowsOf({ ...conditions, below }, now);
  const lead = await chooseLead(inside(db), conditions, newest);
  let walked: Walked | undefined = newest;
  const ids: string[] = [];
  let looked = 0;
  let isOver = false;
  // What is large of a job takes long to be looked into.
  let slower = 1;
  let step = 0;
  while (walked && !isOver) {
    const window: Walked = walked;
    const wanted = Math.min(STEPS[step] ?? budget.rows, budget.rows - looked);
    const rows = Math.max(LEAST_STEP, Math.floor(wanted / slower));
    const hasCome = looked > 0 || window !== newest;
    const found = await searching(db, stepMs, (sql) =>
      look(sql, { conditions, lead, walked: window, rows, most: most - ids.length }),
    ).catch((error: unknown) => {
      if (hasCome && error instanceof SearchRefusedError) {
        isOver = true;
        return undefined;
      }
      if (!isTooSlow(error)) throw error;
      if (rows === LEAST_STEP && looked === 0) throw searchTooSlow(error);
      return undefined;
    });
    if (found) {
      step += 1;
      ids.push(...found.ids);
      looked += found.looked;
      walked = found.edge === undefined ? older.shift() : { ...window, below: found.edge };
      isOver = ids.length >= most;
    } else slower *= 10;
    // Whatever it takes, it gets on.
    isOver ||=
      (looked > 0 || walked !== newest) && (looked >= budget.rows || performance.now() - begun > budget.ms);
  }
  const edge = walked?.below;
  return { ids: ids.slice(0, most), ...(edge === undefined ? {} : { edge }) };
}

/** Looks at the next jobs of each value of the lead, and tells how far all of them were looked at. */
async function look(
  sql: Sql,
  params: {
    conditions: JobConditions;
    lead: Lead | undefined;
    walked: Walked;
    rows: number;
    most: number;
  },
): Promise<{ ids: string[]; looked: number; edge?: string }> {
  const { conditions, lead, walked, rows, most } = params;
  const each = Math.max(1, Math.ceil(rows / (lead?.values.length ?? 1)));
  const { values, bind } = binder([each, most]);
  const { leads, rest } = conditions;
  const others = leads.filter((one) => one !== lead);
  const fits = [...others.map((one) => isOneOf(one, bind(one.values))), ...rest.map((part) => part(bind))];
  const walk = newestOf(lead, {
    select: `j.id, (${fits.join(' and ') || 'true'}) as fits`,
    walked,
    limit: '$1',
    bind,
  });
  const found = await sql.rows<Look>(
    `select found.* from ${walk.each} cross join lateral (
       select count(*)::int as looked, min(l.id::text collate "C") as last,
         (array_agg(l.id order by l.id desc) filter (where l.fits))[1:$2] as ids
       from (${walk.newest}) l) found`,
    values,
  );
  // Where one value has more, what is older of the others is looked at when that one has come as far.
  const edges = found.flatMap(({ looked, last }) => (looked < each || last === null ? [] : [last]));
  const edge = edges.sort().at(-1);
  const ids = found.flatMap((one) => one.ids ?? []).filter((id) => edge === undefined || id >= edge);
  const looked = found.reduce((sum, one) => sum + one.looked, 0);
  return { ids: ids.sort().reverse().slice(0, most), looked, ...(edge === undefined ? {} : { edge }) };
}

/** SQL: one of the values of a lead, whose name is bound. */
export function isOneOf({ column }: Lead, values: string): string {
  return `j.${column} = any(${values}::${column === 'id' ? 'uuid' : 'text'}[])`;
}

/**
 * Finds the index by which the fewest jobs have to be looked at: it has the fewest in the newest part of the walk, or, where all have
 * many, its newest ones reach furthest back. This reads the indexes alone.
 */
export async function chooseLead(
  sql: Sql,
  conditions: Pick<JobConditions, 'leads'>,
  walked: Walked,
): Promise<Lead | undefined> {
  const { leads } = conditions;
  if (leads.length < 2) return leads[0];
  const { values, bind } = binder();
  const probes = leads.map((lead, index) => {
    const each = Math.max(1, Math.ceil(PROBE / lead.values.length));
    const walk = newestOf(lead, { select: 'j.id', walked, limit: String(each), bind });
    return `select ${index} as lead, count(*)::int as count, min(l.id::text collate "C") as reach
      from ${walk.each} cross join lateral (${walk.newest}) l`;
  });
  const found = await sql.rows<{ lead: number; count: number; reach: string | null }>(
    probes.join(' union all '),
    values,
  );
  const [best] = found.sort((a, b) => a.count - b.count || ((a.reach ?? '') < (b.reach ?? '') ? -1 : 1));
  return best && leads[best.lead];
}

/** The same as `within` for those who ask: only a few at once. Throws SearchRefusedError `too_many_searches`. */
export function searching<T>(db: Database, ms: number, fn: (sql: Sql) => Promise<T>): Promise<T> {
  return inside(db).searches(() => within(db, ms, fn));
}

/** Runs `fn` in a transaction of its own, in which a statement is given up after so many milliseconds. */
export function within<T>(db: Database, ms: number, fn: (sql: Sql) => Promise<T>): Promise<T> {
  return inside(db).transaction(async (sql) => {
    await sql.run(`set local statement_timeout = ${ms}`);
    return fn(sql);
  });
}
