import { FIRST_POSITION, isTerminal, type JobChange, orderOf, PHASES } from '@jetbeat/core';
import { toArray } from '../database/arrays.ts';
import type { Sql } from '../database/sql.ts';

/** Where a job ends that has gone straight to its end: it has had one attempt, which has told its outcome. */
const STRAIGHT = orderOf(FIRST_POSITION, PHASES.settled);

// The bounds leave most partitions out when it is planned.
const CLOSE = `update attempt a set outcome = 'lost', finished_at = greatest(a.started_at, x.ended_at)
  from (select unnest($1::uuid[]) as id, unnest($2::timestamptz[]) as ended_at) x
  where a.job_id = x.id and a.job_id >= $3::uuid and a.job_id <= $4::uuid and a.outcome is null`;

/**
 * Of jobs that are over by these changes, sorted by their ids, the attempts that have never told an outcome are `lost`, as far as anybody knows;
 * who comes back and tells one is believed (`mergeAttempts`). Most jobs go straight to their end, and cost nothing here.
 */
export async function closeAttempts(sql: Sql, changes: readonly JobChange[]): Promise<void> {
  const ended = changes.filter(({ state, order }) => order > STRAIGHT && isTerminal(state));
  if (ended.length === 0) return;
  const ids = ended.map(({ id }) => id);
  const times = ended.map(({ finishedAt, dueAt }) => finishedAt ?? dueAt);
  await sql.run(CLOSE, [toArray('uuid', ids), toArray('timestamptz', times), ids[0], ids.at(-1)]);
}
