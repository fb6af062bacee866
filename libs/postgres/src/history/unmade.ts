import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { at, ms, type Sql } from '../database/sql.ts';

/** Something that should follow the end of a job, and could not be made. */
export interface UnmadeFollow {
  /** The job that has ended; undefined where it should tell of many: that is not kept. */
  readonly job: string | undefined;
  /** Which of all that follows it, e.g. `onFailure:0`. */
  readonly what: string;
  readonly error: unknown;
}

/** The same as it is kept. Times in Unix milliseconds. */
export interface UnmadeRecord {
  readonly what: string;
  /** How often it was tried. */
  readonly tries: number;
  readonly since: number;
  /** When it is tried again; absent: no more. */
  readonly nextAt?: number;
  readonly error: string;
}

/** How often it is tried, the first time included: for about four days. */
const MAX_TRIES = 100;
/** Seconds to the second try; each delay is twice the one before, up to an hour. */
const FIRST_DELAY = 5;
const MAX_DELAY = 3_600;
const MAX_ERROR = 1_000;

const DUE = `select job_id as job, what from unmade where next_at <= ${at('$1')} order by next_at limit $2 for update`;
// What is not due yet stays as it is, whoever has tried it.
const NOTE = `insert into unmade (job_id, what, tries, since, next_at, error)
  select job, what, 1, ${at('$2')}, ${at('$2')} + interval '${FIRST_DELAY} s', error
  from json_to_recordset($1::json) as x(job uuid, what text, error text)
  on conflict (job_id, what) do update set tries = unmade.tries + 1, error = excluded.error,
    next_at = case when unmade.tries + 1 < ${MAX_TRIES}
      then ${at('$2')} + least(${FIRST_DELAY} * 2 ^ least(unmade.tries, 30), ${MAX_DELAY}) * interval '1 s' end
    where unmade.next_at <= ${at('$2')}`;
const FORGET = `delete from unmade u using json_to_recordset($1::json) as x(job uuid, what text)
  where u.job_id = x.job and u.what = x.what`;
// What is still tried goes by itself when its job is gone.
const FORGET_GIVEN_UP = `with old as (
    select u.job_id, u.what from unmade u
    where u.next_at is null and (u.since < ${at('$1')} or not exists (select from job j where j.id = u.job_id))
    limit $2 for update skip locked)
  delete from unmade u using old where u.job_id = old.job_id and u.what = old.what`;
const OF_JOB = `select what, tries, ${ms('since')} as since, ${ms('next_at')} as "nextAt", error
  from unmade where job_id = $1 order by what`;

/** What is to be tried again now. */
export async function dueUnmade(
  sql: Sql,
  params: { now: number; limit: number },
): Promise<{ job: string; what: string }[]> {
  return sql.rows(DUE, [params.now, params.limit]);
}

/** Notes what could not be made, to be tried again later. */
export async function noteUnmade(sql: Sql, unmade: readonly UnmadeFollow[], now: number): Promise<void> {
  const kept = unmade.filter(({ job }) => job !== undefined);
  if (kept.length === 0) return;
  // One statement may not touch a row twice.
  const rows = new Map(kept.map((one) => [`${one.job} ${one.what}`, one]));
  const texts = [...rows.values()].map(({ job, what, error }) => ({ job, what, error: textOf(error) }));
  await sql.run(NOTE, [toJson(texts), now]);
}

/** What was made, or is wanted no more. */
export async function forgetUnmade(sql: Sql, done: readonly { job: string; what: string }[]): Promise<void> {
  if (done.length > 0) await sql.run(FORGET, [toJson(done)]);
}

/**
 * Forgets what was given up and was tried first before `before` (Unix milliseconds), or whose job is not in history any more; `limit` rows at
 * most. Several may do it at once.
 * @returns how many rows went
 */
export async function forgetGivenUp(
  db: Database,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  return inside(db).run(FORGET_GIVEN_UP, [before, limit]);
}

/** What should have followed the end of this job, and could not be made so far. */
export async function unmadeOf(db: Database, job: string): Promise<UnmadeRecord[]> {
  const rows = await inside(db).rows<Omit<UnmadeRecord, 'nextAt'> & { nextAt: number | null }>(OF_JOB, [job]);
  return rows.map(({ nextAt, ...row }) => (nextAt === null ? row : { ...row, nextAt }));
}

function textOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, MAX_ERROR);
}
