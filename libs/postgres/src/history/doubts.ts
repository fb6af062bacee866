import { type JobState, type KnownJob, orderOf, PHASES, type Position } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { known, toJson } from '../database/json.ts';
import { at, nextOf, type Sql } from '../database/sql.ts';

/** A `free` answer that is to be noted. */
export interface DoubtGrant extends Position {
  readonly job: string;
  /** Who asked, and will run it. */
  readonly worker: string;
  readonly losses: number;
}

/** What is asked while the rows are locked. */
export interface DoubtParams<T> {
  readonly ids: readonly string[];
  /** Unix milliseconds, PostgreSQL's clock. */
  readonly now: number;
  /** A worker is alive when it was heard of within this many milliseconds (ack_wait). */
  readonly within: number;
  /** Pure; may be asked twice. */
  readonly decide: (
    known: ReadonlyMap<string, KnownJob>,
    aliveWorkers: ReadonlySet<string>,
  ) => {
    readonly grants: readonly DoubtGrant[];
    /** Ids of jobs that nobody runs and somebody has cancelled: they end. */
    readonly cancelled?: readonly string[];
    readonly value: T;
  };
}

type KnownRow = { [K in Exclude<keyof KnownJob, 'open'>]-?: KnownJob[K] | null } & { id: string };
type OpenRow = { id: string; attempt: number; worker: string };
const WAITING: ReadonlySet<JobState> = new Set(['scheduled', 'queued', 'parked']);

// Ids are locked one by one in their order, rows or no rows, so that two answers about one job come after one another.
const LOCK_IDS = `select pg_advisory_xact_lock(hashtextextended('doubt:' || id, 0))
  from (select id from unnest($1::text[]) as id order by id) ordered`;
const LOCK_JOBS = `select id, state, attempt, run, parks, losses, worker_id as worker, ${nextOf('state', 'next')} as next,
  moved_below::float8 as "movedBelow", nullif(cancel_requested_at is not null, false) as "isCancelled",
  nullif(state = 'queued' and run > 1 and "position" % 16 = ${PHASES.queued}, false) as "isGivenBack" from job where id = any($1::uuid[]) order by id for update`;
const GRANTED = `select job_id as id, 'running' as state, attempt, run, parks, losses, worker_id as worker, null as next, null as "movedBelow",
  null as "isCancelled", null as "isGivenBack" from doubt_grant where job_id = any($1::uuid[])`;
// A statement of its own: whoever locks a row after a wait sees what its last writer has written of attempts only in the next one.
const OPEN = `select a.job_id as id, a.number as attempt, a.worker_id as worker from attempt a
  where a.job_id = any($1::uuid[]) and a.outcome is null order by a.worker_id`;
const ALIVE = `select id from worker where state = 'running' and heard_at > ${at('$1')}`;

const GRANTS = `json_to_recordset($1::json) as x(job uuid, worker text, attempt integer, run integer, parks integer,
  losses integer, "position" bigint)`;
// When it starts its worker tells; one that does not have the task puts it back into the parking place instead.
const NOTE_JOBS = `update job j set state = 'running', attempt = x.attempt, run = x.run, parks = x.parks,
    losses = greatest(j.losses, x.losses), "position" = x."position", worker_id = x.worker,
    due_at = ${at('$2')}, check_at = ${at('$2')}, published = true,
    stream_seq = null, reconcile_seq = null, reconcile_events_seq = null, finished_at = null, next = null, reason = null,
    error = null, result = null
  from ${GRANTS} where j.id = x.job and j.finished_at is null`;
const CANCEL_JOBS = `update job j set state = 'cancelled', "position" = (j."position" / 16) * 16 + ${PHASES.ended},
    finished_at = ${at('$2')}, due_at = ${at('$2')}, next = null,
    reason = jsonb_build_object('code', 'cancelled', 'text', coalesce(j.cancel_reason, 'cancelled'))
  where j.id = any($1::uuid[]) and j.finished_at is null`;
const CANCEL_ATTEMPTS = `update attempt set outcome = 'lost', finished_at = ${at('$2')}
  where job_id = any($1::uuid[]) and outcome is null`;
// Who began this very run and asks about it does not run it: it gets it once more, as another attempt row.
const NOTE_LOST = `update attempt a set outcome = 'lost', finished_at = ${at('$2')}
  from ${GRANTS} where a.job_id = x.job and a.outcome is null
    and (a.run < x.run or (a.run = x.run and a.number = x.attempt and a.worker_id = x.worker))`;
const NOTE_UNKNOWN = `insert into doubt_grant (job_id, worker_id, attempt, run, parks, losses, granted_at)
  select job, worker, attempt, run, parks, losses, ${at('$2')} from ${GRANTS} where not exists (select from job where id = job)
  on conflict (job_id) do update set worker_id = excluded.worker_id, attempt = excluded.attempt, run = excluded.run,
    parks = excluded.parks, losses = excluded.losses, granted_at = excluded.granted_at`;
const FORGET_OLD = `delete from doubt_grant where granted_at < ${at('$1')}`;
const DAY = 86_400_000;

/**
 * Answers doubts under the locks of their jobs: reads what history knows and who is alive, asks `decide`, notes the grants (the
 * job runs at the asker; open attempts of earlier runs, and its own of this one, are `lost`), ends what was cancelled, and commits. A job of which history knows nothing is known
 * by what was granted before, so that of two askers one gets it.
 */
export async function withDoubts<T>(db: Database, params: DoubtParams<T>): Promise<T> {
  const { ids, now } = params;
  return inside(db).transaction(async (sql) => {
    await sql.run(LOCK_IDS, [ids]);
    const jobs = await readKnown(sql, ids);
    const alive = await sql.rows<{ id: string }>(ALIVE, [now - params.within]);
    const { grants, cancelled = [], value } = params.decide(jobs, new Set(alive.map((worker) => worker.id)));
    if (cancelled.length > 0) {
      await sql.run(CANCEL_ATTEMPTS, [cancelled, now]);
      await sql.run(CANCEL_JOBS, [cancelled, now]);
    }
    if (grants.length === 0) return value;
    const rows = grants.map((grant) => ({ ...grant, position: orderOf(grant, PHASES.running) }));
    const values = [toJson(rows), now];
    await sql.run(NOTE_JOBS, values);
    await sql.run(NOTE_LOST, values);
    if ((await sql.run(NOTE_UNKNOWN, values)) > 0) await sql.run(FORGET_OLD, [now - DAY]);
    return value;
  });
}

async function readKnown(sql: Sql, ids: readonly string[]): Promise<Map<string, KnownJob>> {
  const rows = [
    ...(await sql.rows<KnownRow>(GRANTED, [ids])),
    ...(await sql.rows<KnownRow>(LOCK_JOBS, [ids])),
  ];
  // Jobs come last: what history knows stands over what was granted before it knew.
  const jobs = new Map(rows.map(({ id, ...row }) => [id, known(row) as KnownJob]));
  return withOpen(sql, jobs);
}

/** Of those that wait: who has begun this attempt without an end. Of what runs the row says it, and what retries or is over has told its own. */
async function withOpen(sql: Sql, jobs: Map<string, KnownJob>): Promise<Map<string, KnownJob>> {
  const ids = [...jobs].flatMap(([id, { state }]) => (WAITING.has(state) ? [id] : []));
  if (ids.length === 0) return jobs;
  for (const { id, attempt, worker } of await sql.rows<OpenRow>(OPEN, [ids])) {
    const job = jobs.get(id);
    if (job?.attempt === attempt) jobs.set(id, { ...job, open: [...(job.open ?? []), worker] });
  }
  return jobs;
}
