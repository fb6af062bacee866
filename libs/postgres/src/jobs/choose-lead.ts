import type { How, Sql } from '../database/sql.ts';
import type { AskedAt, JobConditions, Lead } from './job-filter.ts';
import { binder, newestOf, readingsOf, type Walked } from './walk-jobs.ts';

/** Entries of each index that are looked at. */
const PROBE = 500;

/**
 * Finds the index by which the fewest jobs have to be looked at: it has the fewest in the newest part of the walk, or, where all have
 * many, its newest ones reach furthest back. This reads the indexes alone. Of a walk without bounds each connection keeps the plan, as
 * long as every lead has one value: there are as many texts as ways to share the entries out among values.
 * @param at.now Unix milliseconds
 */
export async function chooseLead(
  sql: Sql,
  conditions: Pick<JobConditions, 'leads'>,
  at: AskedAt & { readonly walked: Walked },
): Promise<Lead | undefined> {
  const { leads } = conditions;
  if (leads.length < 2) return leads[0];
  const { windows, how: whole } = readingsOf(at.walked, at.now);
  const [walked = at.walked] = windows;
  const how: How = leads.every((lead) => lead.values.length === 1) ? whole : {};
  const { values, bind } = binder();
  const probes = leads.map((lead, index) => {
    const most = Math.max(1, Math.ceil(PROBE / lead.values.length));
    const walk = newestOf(lead, { select: 'j.id', walked, limit: String(most), bind, how });
    return `select ${index} as lead, sum(p.count)::int as count, min(p.last::text collate "C") as reach
      from ${walk.each} cross join lateral (
        select count(*) as count, (array_agg(l.id))[count(*)::int] as last from (${walk.newest}) l) p`;
  });
  const found = await sql.rows<{ lead: number; count: number; reach: string | null }>(
    probes.join(' union all '),
    values,
    how,
  );
  const [best] = found.sort((a, b) => a.count - b.count || ((a.reach ?? '') < (b.reach ?? '') ? -1 : 1));
  return best && leads[best.lead];
}

/** SQL: one of the values of a lead, whose name is bound. */
export function isOneOf({ column }: Lead, values: string): string {
  return `j.${column} = any(${values}::${column === 'id' ? 'uuid' : 'text'}[])`;
}
