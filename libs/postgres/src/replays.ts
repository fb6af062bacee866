import { type Database, inside } from './database.ts';
import { type DeadFilter, notReplayed } from './dead-letters.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from './job-record.ts';
import { toJson } from './json.ts';
import { type NewJob, writeNewJobs } from './new-job.ts';
import { ms } from './sql.ts';

/** A replay of many dead letters. Times in Unix milliseconds. */
export interface ReplayRecord {
  readonly id: string;
  readonly filter: DeadFilter;
  /** In a second at most. */
  readonly rate: number;
  /** At most in all; null: all. */
  readonly most: number | null;
  readonly by: string;
  readonly replayed: number;
  /** Those of which no job could be made. */
  readonly skipped: number;
  readonly createdAt: number;
  readonly doneAt: number | null;
}

const SELECT = `r.id, r.filter, r.rate, r.most, r.by, r.replayed, r.skipped, ${ms('r.created_at')} as "createdAt",
  ${ms('r.done_at')} as "doneAt", r.last_id as "lastId"`;
type Row = ReplayRecord & { readonly lastId: string | null };
/** Jobs in one step. */
const STEP = 200;

/** Notes that dead letters are to be replayed. */
export async function createReplay(
  db: Database,
  replay: Pick<ReplayRecord, 'id' | 'filter' | 'rate' | 'most' | 'by'> & { readonly now: number },
): Promise<void> {
  const { id, filter, rate, most, by, now } = replay;
  await inside(db).run(
    'insert into replay (id, filter, rate, most, by, created_at) values ($1, $2::jsonb, $3, $4, $5, $6)',
    [id, toJson(filter), rate, most, by, new Date(now)],
  );
}

/** One replay; undefined when there is none of this id. */
export async function getReplay(db: Database, id: string): Promise<ReplayRecord | undefined> {
  const row = await inside(db).row<Row>(`select ${SELECT} from replay r where r.id = $1`, [id]);
  return row && record(row);
}

/** The replays that are not done, oldest first. */
export async function openReplays(db: Database): Promise<string[]> {
  const rows = await inside(db).rows<{ id: string }>(
    'select id from replay where done_at is null order by created_at limit 100',
  );
  return rows.map(({ id }) => id);
}

/**
 * Takes one step of a replay: the next dead letters that fit get a job each, as many as the rate allows by now, in one
 * transaction with how far it is. Of several processes one does it at a time.
 * @param params.make the job of one, or undefined where none can be made; it must do nothing else
 * @returns what was made; `more` is false when it is done, or somebody else does it
 */
export async function replayStep(
  db: Database,
  params: {
    readonly id: string;
    readonly now: number;
    readonly make: (dead: JobRecord, replay: ReplayRecord) => NewJob | undefined;
  },
): Promise<{ readonly made: readonly NewJob[]; readonly more: boolean }> {
  const { id, now, make } = params;
  return inside(db).transaction(async (sql) => {
    const row = await sql.row<Row>(
      `select ${SELECT} from replay r where r.id = $1 and r.done_at is null for update skip locked`,
      [id],
    );
    if (!row) return { made: [], more: false };
    const replay = record(row);
    // From its beginning on, so that a pause of whoever does it is made up for by no more than a step.
    const allowed = Math.floor(((now - replay.createdAt) / 1_000) * replay.rate) + 1 - replay.replayed;
    const left = replay.most === null ? STEP : replay.most - replay.replayed;
    const limit = Math.min(STEP, allowed, replay.rate, left);
    if (left > 0 && limit <= 0) return { made: [], more: true };
    const values: unknown[] = [Math.max(0, limit), row.lastId, new Date(replay.createdAt)];
    const where = notReplayed(replay.filter, (value) => `$${values.push(value)}`);
    const rows = await sql.rows<JobRow>(
      `select ${JOB_SELECT} from job j where ${where} and ($2::uuid is null or j.id > $2)
         and j.finished_at <= $3 order by j.id limit $1`,
      values,
    );
    const dead = rows.map(jobRecord);
    const made = dead.flatMap((job) => make(job, replay) ?? []);
    await writeNewJobs(sql, made);
    const isDone = rows.length < limit || left - made.length <= 0;
    await sql.run(
      `update replay set last_id = coalesce($2, last_id), replayed = replayed + $3, skipped = skipped + $4,
         done_at = $5 where id = $1`,
      [id, dead.at(-1)?.id ?? null, made.length, dead.length - made.length, isDone ? new Date(now) : null],
    );
    return { made, more: !isDone };
  });
}

function record({ lastId: _, ...row }: Row): ReplayRecord {
  return row;
}
