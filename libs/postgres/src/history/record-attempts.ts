import type { AttemptChange } from '@jetbeat/core';
import type { Sql } from '../database/sql.ts';
import { type Column, toArrays, unnested } from './columns.ts';

const COLUMNS: readonly Column<AttemptChange>[] = [
  { name: 'job_id', type: 'uuid', of: (attempt) => attempt.job },
  { name: 'run_id', type: 'uuid', of: (attempt) => attempt.runId },
  { name: 'number', type: 'int4', of: (attempt) => attempt.number },
  { name: 'run', type: 'int4', of: (attempt) => attempt.run },
  { name: 'worker_id', type: 'text', of: (attempt) => attempt.worker },
  { name: 'started_at', type: 'timestamptz', of: (attempt) => attempt.startedAt },
  { name: 'finished_at', type: 'timestamptz', of: (attempt) => attempt.finishedAt },
  { name: 'outcome', type: 'text', of: (attempt) => attempt.outcome },
  { name: 'error', type: 'jsonb', of: (attempt) => attempt.error },
];
const NAMES = COLUMNS.map(({ name }) => name).join(', ');

const INSERT = `insert into attempt as a (${NAMES}) select ${unnested(COLUMNS)}`;

// The first outcome stays. Only `lost` was a guess: a worker that was believed dead may still say how it ended.
const UPSERT = `${INSERT}
  on conflict (job_id, run_id) do update set started_at = excluded.started_at, finished_at = excluded.finished_at,
    outcome = excluded.outcome, error = excluded.error
  where (a.outcome is null or a.outcome = 'lost') and excluded.outcome is not null`;

/** Writes attempts that have no row, in this order: fails with a unique violation if one has. */
export async function insertAttempts(sql: Sql, attempts: readonly AttemptChange[]): Promise<void> {
  if (attempts.length > 0) await sql.run(INSERT, toArrays(COLUMNS, attempts));
}

/** Merges attempts into their rows in one statement and in this order, each attempt at most once. */
export async function mergeAttempts(sql: Sql, attempts: readonly AttemptChange[]): Promise<void> {
  if (attempts.length > 0) await sql.run(UPSERT, toArrays(COLUMNS, attempts));
}
