import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { isRefusedByData } from '../database/refused-by-data.ts';
import { at, ms, type Sql } from '../database/sql.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from '../jobs/job-record.ts';
import { type NewJob, writeNewJobs } from '../jobs/new-job.ts';
import { dueUnmade, forgetUnmade, noteUnmade, type UnmadeFollow } from './unmade.ts';

/** How many notices of a rule went out in a period, and of how many it was not told. Times in Unix milliseconds. */
export interface NoticeCount {
  /** Names the rule. */
  readonly rule: string;
  readonly since: number;
  readonly until: number;
  readonly sent: number;
  readonly held: number;
}

/** A job that has ended, of which it is not yet seen to what follows. */
export interface ToFollow {
  readonly job: JobRecord;
  /** What could not be made before; absent: all that follows is to be made. */
  readonly only?: ReadonlySet<string>;
}

/** A job that follows the end of another. */
export interface Follow {
  /** The job that has ended; absent where it tells of many. */
  readonly of?: string;
  /** Which of all that follows this end. */
  readonly what: string;
  /** To be written, where there is none of the same id. */
  readonly job: NewJob;
}

/** What follows the ends of jobs. */
export interface Followed {
  readonly follows: readonly Follow[];
  /** What could not be made: it is tried again later, and holds up nothing else. */
  readonly unmade: readonly UnmadeFollow[];
  /** The counts as they are now; others stay. */
  readonly counts: readonly NoticeCount[];
}

/** What came of it. */
export interface FollowResult {
  /** The jobs that are new: committed, and not yet published. */
  readonly made: readonly NewJob[];
  readonly unmade: readonly UnmadeFollow[];
}

const UNFOLLOWED = `select ${JOB_SELECT} from job j
  where j.state in ('dead', 'expired') and not j.followed and j.finished_at < ${at('$1')}
  order by j.finished_at limit $2 for update skip locked`;
const COUNTS = `select rule, ${ms('since')} as since, ${ms('until')} as until, sent, held from notice_count`;
const NOTE_COUNTS = `insert into notice_count (rule, since, until, sent, held)
  select rule, ${at('since')}, ${at('until')}, sent, held
  from json_to_recordset($1::json) as x(rule text, since float8, until float8, sent integer, held integer)
  on conflict (rule) do update set since = excluded.since, until = excluded.until, sent = excluded.sent, held = excluded.held`;
const FORGET_COUNTS = `delete from notice_count where held = 0 and until <= ${at('$1')}`;
const LOCK = `select pg_advisory_xact_lock(hashtextextended('jetbeat:follow', 0))`;

/** Of what could not be made so many are tried again in one pass. */
const MOST_AGAIN = 50;

/**
 * Looks after jobs that are dead or have expired and were not looked after yet, the longest first, and after what could not be made
 * before and is due again: asks `decide` what follows, writes it and notes that it is done, all in one transaction. What cannot be
 * written is put off, and the rest goes on. Replicas wait for each other, so that each end is counted once.
 * @param params.before of jobs that ended before, Unix milliseconds
 * @param params.decide is quick and may be asked twice
 * @returns how many ends were looked at for the first time, and what came of all
 */
export async function followPass(
  db: Database,
  params: {
    now: number;
    before: number;
    limit: number;
    decide: (ended: readonly ToFollow[], counts: readonly NoticeCount[]) => Promise<Followed>;
  },
): Promise<FollowResult & { looked: number }> {
  const { now, before, limit, decide } = params;
  return inside(db).transaction(async (sql) => {
    await sql.run(LOCK);
    const rows = await sql.rows<JobRow>(UNFOLLOWED, [before, limit]);
    const due = await dueUnmade(sql, { now, limit: MOST_AGAIN });
    const known = await sql.rows<NoticeCount>(COUNTS);
    if (rows.length === 0 && due.length === 0 && known.length === 0)
      return { looked: 0, made: [], unmade: [] };
    const ended = [...rows.map((row) => ({ job: jobRecord(row) })), ...(await jobsAgain(sql, due))];
    const { follows, counts, unmade: refused } = await decide(ended, known);
    const { made, unwritten } = await writeFollows(sql, follows);
    const unmade = [...refused, ...unwritten];
    await noteUnmade(sql, unmade, now);
    const failed = new Set(unmade.map(({ job, what }) => `${job} ${what}`));
    await forgetUnmade(
      sql,
      due.filter(({ job, what }) => !failed.has(`${job} ${what}`)),
    );
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0) await sql.run('update job set followed = true where id = any($1::uuid[])', [ids]);
    if (counts.length > 0) await sql.run(NOTE_COUNTS, [toJson(counts)]);
    await sql.run(FORGET_COUNTS, [now]);
    return { looked: rows.length, made, unmade };
  });
}

/**
 * Writes what follows jobs whose ends nobody else will look at again. What cannot be written, and what could not be made, is tried
 * again by `followPass`.
 * @param params.now Unix milliseconds
 */
export async function writeFollowed(
  db: Database,
  params: Pick<Followed, 'follows' | 'unmade'> & { now: number },
): Promise<FollowResult> {
  const { follows, now } = params;
  if (follows.length === 0 && params.unmade.length === 0) return { made: [], unmade: [] };
  return inside(db).transaction(async (sql) => {
    const { made, unwritten } = await writeFollows(sql, follows);
    const unmade = [...params.unmade, ...unwritten];
    await noteUnmade(sql, unmade, now);
    return { made, unmade };
  });
}

/** The jobs of what is due again; of one that is not in history any more there is nothing to be made. */
async function jobsAgain(sql: Sql, due: readonly { job: string; what: string }[]): Promise<ToFollow[]> {
  if (due.length === 0) return [];
  const whats = Map.groupBy(due, ({ job }) => job);
  const rows = await sql.rows<JobRow>(`select ${JOB_SELECT} from job j where j.id = any($1::uuid[])`, [
    [...whats.keys()],
  ]);
  return rows.map((row) => ({
    job: jobRecord(row),
    only: new Set(whats.get(row.id)?.map(({ what }) => what)),
  }));
}

/** Writes jobs all together, or one by one where PostgreSQL refuses one of them. Returns those that were not there. */
async function writeFollows(
  sql: Sql,
  follows: readonly Follow[],
): Promise<{ made: NewJob[]; unwritten: UnmadeFollow[] }> {
  const all = await tryWrite(sql, follows);
  if (all.made) return { made: all.made, unwritten: [] };
  const made: NewJob[] = [];
  const unwritten: UnmadeFollow[] = [];
  for (const follow of follows) {
    const one = await tryWrite(sql, [follow]);
    if (one.made) made.push(...one.made);
    else unwritten.push({ job: follow.of, what: follow.what, error: one.refused });
  }
  return { made, unwritten };
}

async function tryWrite(
  sql: Sql,
  follows: readonly Follow[],
): Promise<{ made: NewJob[] } | { made?: never; refused: unknown }> {
  if (follows.length === 0) return { made: [] };
  await sql.run('savepoint follow');
  try {
    const jobs = follows.map(({ job }) => job);
    const written = new Set(await writeNewJobs(sql, jobs));
    await sql.run('release savepoint follow');
    return { made: jobs.filter(({ envelope }) => written.has(envelope.id)) };
  } catch (error) {
    if (!isRefusedByData(error)) throw error;
    await sql.run('rollback to savepoint follow');
    return { refused: error };
  }
}

/** Of these jobs those that have succeeded, whole. */
export async function succeededJobs(
  db: Database,
  params: { ids: readonly string[]; which: (job: Pick<JobRecord, 'task' | 'queue' | 'policy'>) => boolean },
): Promise<JobRecord[]> {
  const sql = inside(db);
  const found = await sql.rows<Pick<JobRow, 'id' | 'task' | 'queue' | 'policy'>>(
    `select id, task, queue, policy from job where id = any($1::uuid[]) and state = 'succeeded'`,
    [params.ids],
  );
  const wanted = found.filter(({ policy, ...job }) =>
    params.which({ ...job, ...(policy ? { policy } : {}) }),
  );
  if (wanted.length === 0) return [];
  const rows = await sql.rows<JobRow>(`select ${JOB_SELECT} from job j where j.id = any($1::uuid[])`, [
    wanted.map(({ id }) => id),
  ]);
  return rows.map(jobRecord);
}
