import { type AttemptChange, OUTCOMES } from '@jetbeat/core';
import { toJson } from './json.ts';
import { isTime } from './record-jobs.ts';
import { at, type Sql } from './sql.ts';

// The first outcome stays. Only `lost` was a guess: a worker that was believed dead may still say how it ended.
const UPSERT = `insert into attempt as a (job_id, run_id, number, run, worker_id, started_at, finished_at, outcome, error)
  select job, "runId", number, run, worker, ${at('"startedAt"')}, ${at('"finishedAt"')}, outcome, error
  from json_to_recordset($1::json) as x(job uuid, "runId" text, number integer, run integer, worker text,
    "startedAt" float8, "finishedAt" float8, outcome text, error jsonb)
  order by job, "runId"
  on conflict (job_id, run_id) do update set started_at = excluded.started_at, finished_at = excluded.finished_at,
    outcome = excluded.outcome, error = excluded.error
  where (a.outcome is null or a.outcome = 'lost') and excluded.outcome is not null`;

/** Merges attempts into their rows in one statement, each attempt at most once. */
export async function writeAttempts(sql: Sql, attempts: readonly AttemptChange[]): Promise<void> {
  if (attempts.length > 0) await sql.run(UPSERT, [toJson(attempts)]);
}

/** Whether a row can be made of it. */
export function isSoundAttempt(attempt: AttemptChange): boolean {
  const { runId, worker, startedAt, finishedAt, outcome } = attempt;
  return (
    typeof runId === 'string' &&
    typeof worker === 'string' &&
    isTime(startedAt) &&
    (finishedAt === undefined || isTime(finishedAt)) &&
    (outcome === undefined || OUTCOMES.includes(outcome))
  );
}
