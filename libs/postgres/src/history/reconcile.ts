import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { at } from '../database/sql.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from '../jobs/job-record.ts';

/** An open job that should be looked up. */
export interface ReconcileCandidate {
  readonly job: JobRecord;
  /** `unpublished`: committed, and nothing says that it was published. `overdue`: its time is past by more than the bound. */
  readonly cause: 'unpublished' | 'overdue';
  /** What `noteReconcile` has noted for this position of the job: last sequences of JOBS and of EVENTS. */
  readonly reconcileSeq?: number;
  readonly reconcileEventsSeq?: number;
}

/** What has come out of a look at a job. */
export interface ReconcileNote {
  readonly id: string;
  /** `JobRecord.order` as it was read: a job that has gone on since is left alone. */
  readonly order: number;
  /** It is looked at again when `dueBefore` has passed this (and its due time); Unix milliseconds, normally the time of this pass. */
  readonly checkAt: number;
  readonly reconcileSeq?: number;
  readonly reconcileEventsSeq?: number;
  /** It is in JetStream: found, or published again; with its sequence when that is of its own subject. `untold`: see `notePublished`. */
  readonly published?: { readonly seq?: number; readonly untold?: true };
}

type CandidateRow = JobRow & {
  unpublished: boolean;
  reconcileSeq: number | null;
  reconcileEventsSeq: number | null;
};

const SELECT = `${JOB_SELECT}, j.reconcile_seq::float8 as "reconcileSeq", j.reconcile_events_seq::float8 as "reconcileEventsSeq"`;

/** SQL: only to be told of, as whoever published it has noted where it is. */
const PLACED = 'j.stream_seq is not null and j.moved_below is null';
// None of the parts may use up what another is allowed: what is to be told of alone may be much, and holds up no job that nobody has published.
const CANDIDATES = `(select ${SELECT}, true as unpublished from job j
    where not j.published and j.finished_at is null and j.created_at < ${at('$1')} and not (${PLACED})
    order by j.created_at limit $3)
  union all
  (select ${SELECT}, true as unpublished from job j
    where not j.published and j.finished_at is null and j.created_at < ${at('$1')} and ${PLACED}
    order by j.created_at limit $3)
  union all
  (select ${SELECT}, false as unpublished from job j
    where j.published and j.finished_at is null and j.state <> 'parked' and j.state <> 'blocked' and j.check_at < ${at('$2')}
    order by j.check_at limit $3)`;

/**
 * Open jobs that should be looked up, the longest unlooked first: committed before `unpublishedBefore` and not heard of since,
 * or due (or last looked at) before `dueBefore`. Parked and blocked jobs wait for something
 * else. `limit`: of each of the two, and of those that are to be told of alone.
 */
export async function reconcileCandidates(
  db: Database,
  params: { now: number; dueBefore: number; unpublishedBefore: number; limit: number },
): Promise<ReconcileCandidate[]> {
  const { unpublishedBefore, dueBefore, limit } = params;
  const rows = await inside(db).rows<CandidateRow>(CANDIDATES, [unpublishedBefore, dueBefore, limit]);
  return rows.map(({ unpublished, reconcileSeq, reconcileEventsSeq, ...row }) => ({
    job: jobRecord(row),
    cause: unpublished ? 'unpublished' : 'overdue',
    ...(reconcileSeq === null ? {} : { reconcileSeq }),
    ...(reconcileEventsSeq === null ? {} : { reconcileEventsSeq }),
  }));
}

const NOTE = `with told as (
    select * from json_to_recordset($1::json) as x(id uuid, "order" bigint, "checkAt" float8, "reconcileSeq" bigint,
      "reconcileEventsSeq" bigint, published boolean, seq bigint)),
  locked as (select j.id from job j where j.id in (select id from told) order by j.id for update)
  update job j set check_at = greatest(${at('told."checkAt"')}, j.due_at), reconcile_seq = told."reconcileSeq",
    reconcile_events_seq = told."reconcileEventsSeq", published = j.published or told.published,
    stream_seq = coalesce(told.seq, j.stream_seq)
  from told join locked using (id) where j.id = told.id and j."position" = told."order"`;

/** Notes what has come out of looks at jobs. */
export async function noteReconcile(db: Database, notes: readonly ReconcileNote[]): Promise<void> {
  if (notes.length === 0) return;
  const rows = notes.map((note) => ({
    ...note,
    published: note.published !== undefined && !note.published.untold,
    seq: note.published?.seq,
  }));
  await inside(db).run(NOTE, [toJson(rows)]);
}
