import type { Concurrency, TaskRate, WorkerEvent } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { at } from '../database/sql.ts';

/** What a task says of how many of its jobs may run, or begin; null: nothing. */
export interface SaidLimits {
  readonly concurrency: Concurrency | null;
  readonly rate: TaskRate | null;
}

/** Two versions of a task whose limits differ are served at once. */
export interface SplitLimits {
  readonly task: string;
  /** Of the workers that were there before. */
  readonly before: SaidLimits;
  /** Of the one that has come. */
  readonly now: SaidLimits;
  /** How many other workers serve it. */
  readonly workers: number;
}

const limitsOf = (policy: string) =>
  `jsonb_build_object('concurrency', ${policy}->'concurrency', 'rate', ${policy}->'rate')`;
// What was said at run time holds everywhere, whatever the code says.
// A worker says its tasks again whenever NATS was away: one that is known to run has not come. Of several that have, the last says the version.
const SPLIT = `with said as (select distinct on (name) worker, name, coalesce(policy, '{}') as policy
      from json_to_recordset($1::json) as x(place int, worker text, name text, policy jsonb)
      where not exists (select from worker k where k.id = x.worker and k.state = 'running')
      order by name, place desc)
  select t.name as task, ${limitsOf(`coalesce(t.policy, '{}')`)} as before, ${limitsOf('said.policy')} as now, others.count as workers
  from said join task t using (name) left join task_limit l using (name)
    cross join lateral (select count(*)::int as count from worker w
      where w.state = 'running' and t.name = any (w.tasks) and w.heard_at > ${at('$2')} and w.id <> said.worker) others
  where others.count > 0 and (
    (l.concurrency is null and t.policy->'concurrency' is distinct from said.policy->'concurrency')
    or (l.rate_limit is null and t.policy->'rate' is distinct from said.policy->'rate'))
  order by t.name`;

/**
 * Those tasks of workers that have just come whose limits differ from what was known, while other workers serve them: to be asked before these are
 * recorded.
 * @param params.heardSince a worker that was not heard of since is gone; Unix milliseconds
 */
export async function splitLimits(
  db: Database,
  params: { readonly workers: readonly WorkerEvent[]; readonly heardSince: number },
): Promise<SplitLimits[]> {
  const { workers, heardSince } = params;
  const said = workers.flatMap(({ worker, tasks = [] }) =>
    tasks.map(({ name, policy }) => ({ worker, name, policy })),
  );
  if (said.length === 0) return [];
  const placed = said.map((one, place) => ({ ...one, place }));
  return inside(db).rows<SplitLimits>(SPLIT, [toJson(placed), heardSince]);
}
