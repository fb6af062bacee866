import { type Database, inside } from './database.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from './job-record.ts';
import { toJson } from './json.ts';
import { type NewJob, writeNewJobs } from './new-job.ts';
import { at, ms, type Sql } from './sql.ts';

/** How many notices of a rule went out in a period, and of how many it was not told. Times in Unix milliseconds. */
export interface NoticeCount {
  /** Names the rule. */
  readonly rule: string;
  readonly since: number;
  readonly until: number;
  readonly sent: number;
  readonly held: number;
}

/** What follows the ends of jobs. */
export interface Followed {
  /** To be written, where there is none of the same id. */
  readonly jobs: readonly NewJob[];
  /** The counts as they are now; others stay. */
  readonly counts: readonly NoticeCount[];
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

/**
 * Looks after jobs that are dead or have expired and were not looked after yet, the longest first: asks `decide` what follows, writes it
 * and notes that it is done, all in one transaction. Replicas wait for each other, so that each end is counted once.
 * @param params.before of jobs that ended before, Unix milliseconds
 * @param params.decide is quick and may be asked twice
 * @returns how many were looked at, and the jobs that are new: committed, and not yet published
 */
export async function followPass(
  db: Database,
  params: {
    now: number;
    before: number;
    limit: number;
    decide: (ended: readonly JobRecord[], counts: readonly NoticeCount[]) => Promise<Followed>;
  },
): Promise<{ looked: number; made: NewJob[] }> {
  const { now, before, limit, decide } = params;
  return inside(db).transaction(async (sql) => {
    await sql.run(LOCK);
    const rows = await sql.rows<JobRow>(UNFOLLOWED, [before, limit]);
    const known = await sql.rows<NoticeCount>(COUNTS);
    if (rows.length === 0 && known.length === 0) return { looked: 0, made: [] };
    const { jobs, counts } = await decide(rows.map(jobRecord), known);
    const made = await writeNew(sql, jobs);
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0) await sql.run('update job set followed = true where id = any($1::uuid[])', [ids]);
    if (counts.length > 0) await sql.run(NOTE_COUNTS, [toJson(counts)]);
    await sql.run(FORGET_COUNTS, [now]);
    return { looked: rows.length, made };
  });
}

/** Writes jobs, and returns those of them that were not there. */
async function writeNew(sql: Sql, jobs: readonly NewJob[]): Promise<NewJob[]> {
  const written = new Set(await writeNewJobs(sql, jobs));
  return jobs.filter(({ envelope }) => written.has(envelope.id));
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
