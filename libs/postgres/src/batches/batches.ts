import type { BatchAction } from '@jetbeat/core';
import { type AuditNote, writeAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { ms, type Sql } from '../database/sql.ts';
import { type BatchFilter, countBatch, tellsPayloads } from './batch-filter.ts';

/** A job with which a batch could not do what it is for. */
export interface BatchFailure {
  readonly jobId: string;
  readonly code: string;
  readonly message: string;
}

/** One action on many jobs. Times in Unix milliseconds. */
export interface BatchRecord {
  readonly id: string;
  readonly action: BatchAction;
  readonly filter: BatchFilter;
  /** The only queues of whoever asked for it; null: all. */
  readonly queues: readonly string[] | null;
  /** In a second at most. */
  readonly rate: number;
  /** With how many it is done at most; null: with all. */
  readonly most: number | null;
  /** How many there were when it was asked for. */
  readonly total: { readonly value: number; readonly capped: boolean };
  /** Who asked for it, and why. */
  readonly asked: AuditNote;
  readonly done: number;
  /** With these it had nothing to do, or could not any more. */
  readonly skipped: number;
  readonly failed: number;
  readonly failures: readonly BatchFailure[];
  /** Why it does not get on. */
  readonly waitingFor: string | null;
  readonly createdAt: number;
  readonly abortAt: number | null;
  readonly finishedAt: number | null;
  /** In lists: what of it is not whole. */
  readonly cut?: readonly BatchCut[];
}

/** What lists do not tell as a whole. */
type BatchCut = 'ids' | 'failures';

/** How a batch stands. */
export type BatchState = 'running' | 'aborting' | 'aborted' | 'done';

/** So many go on at once at most, and of one who asks. */
const MOST_OPEN = 100;
const MOST_OF_ONE = 20;
/** Two that are asked for at the same time do not both count themselves as the last. */
const LOCK = `select pg_advisory_xact_lock(hashtext('jetbeat batch'))`;
/** How long those that are over are kept, milliseconds. */
const KEEP_MS = 90 * 86_400_000;

/** What is read of every batch. */
export const BATCH_IN_BRIEF = `b.id, b.action, b.queues, b.rate, b.most, b.asked, b.done, b.skipped, b.failed, b.waiting_for as "waitingFor",
  jsonb_build_object('value', b.total, 'capped', b.total_capped) as total, ${ms('b.created_at')} as "createdAt",
  ${ms('b.abort_at')} as "abortAt", ${ms('b.finished_at')} as "finishedAt"`;

/** What is read of one batch. */
export const BATCH_SELECT = `${BATCH_IN_BRIEF}, b.filter, b.failures`;

/** What is needed to ask for a batch. */
export type NewBatch = Pick<
  BatchRecord,
  'id' | 'action' | 'filter' | 'queues' | 'rate' | 'most' | 'asked'
> & {
  /** Unix milliseconds. */
  readonly now: number;
  /** How many jobs are counted at most. */
  readonly count: number;
};

/**
 * Notes that something is to be done with many jobs; with an id that is there already nothing is done.
 * @returns the batch; undefined where too many go on, of whoever asks or in all
 */
export async function createBatch(db: Database, params: NewBatch): Promise<BatchRecord | undefined> {
  const { id, action, filter, queues, rate, most, asked, now, count } = params;
  const known = await one(inside(db), id);
  if (known) return known;
  const total = await countBatch(db, { action, filter, queues: queues ?? undefined, createdAt: now }, count);
  return inside(db).transaction(async (sql) => {
    await sql.run(LOCK);
    const open = await sql.row<{ all: number; own: number }>(
      `select count(*)::float8 as all, count(*) filter (where asked->'actor'->>'id' = $1)::float8 as own
       from batch where finished_at is null`,
      [asked.actor.id],
    );
    if ((open?.all ?? 0) >= MOST_OPEN || (open?.own ?? 0) >= MOST_OF_ONE) return undefined;
    const made = await sql.run(
      `insert into batch (id, action, filter, queues, rate, most, asked, total, total_capped, created_at, paced_at)
       values ($1, $2, $3::jsonb, $4, $5, $6, $7::jsonb, $8, $9, $10, $10) on conflict (id) do nothing`,
      [
        ...[id, action, toJson(filter), queues, rate, most],
        ...[toJson(asked), total.value, total.capped, new Date(now)],
      ],
    );
    const batch = await one(sql, id);
    if (batch && made > 0) await noteBatch(sql, { batch, note: asked, action: 'batch.create' });
    await sql.run(
      'delete from batch where id in (select id from batch where finished_at < $1 order by created_at limit 100)',
      [new Date(now - KEEP_MS)],
    );
    return batch;
  });
}

/** One batch; undefined when there is none of this id. */
export async function getBatch(db: Database, id: string): Promise<BatchRecord | undefined> {
  return one(inside(db), id);
}

/**
 * Ends a batch: what was begun of it is ended, nothing more is begun. Aborting twice is one abort.
 * @returns the batch as it is then; undefined when there is none, or it is over
 */
export async function abortBatch(
  db: Database,
  params: {
    readonly id: string;
    /** Unix milliseconds. */
    readonly now: number;
    readonly note: AuditNote;
  },
): Promise<BatchRecord | undefined> {
  const { id, now, note } = params;
  return inside(db).transaction(async (sql) => {
    const changed = await sql.run(
      `update batch set abort_at = $2, finished_at = case when pending = '{}' then $2::timestamptz end
       where id = $1 and finished_at is null and abort_at is null`,
      [id, new Date(now)],
    );
    const batch = await one(sql, id);
    if (batch && changed > 0) await noteBatch(sql, { batch, note, action: 'batch.abort' });
    if (batch && changed > 0 && batch.finishedAt !== null)
      await noteBatch(sql, { batch, note: batch.asked, action: 'batch.end' });
    return changed > 0 || batch?.abortAt !== null ? batch : undefined;
  });
}

/** The batches that are not over, oldest first. */
export async function openBatches(db: Database): Promise<string[]> {
  const rows = await inside(db).rows<{ id: string }>(
    `select id from batch where finished_at is null order by created_at limit ${MOST_OPEN}`,
  );
  return rows.map(({ id }) => id);
}

/** How a batch stands. */
export function batchState({ abortAt, finishedAt }: Pick<BatchRecord, 'abortAt' | 'finishedAt'>): BatchState {
  if (abortAt === null) return finishedAt === null ? 'running' : 'done';
  return finishedAt === null ? 'aborting' : 'aborted';
}

/** Writes down what was done with a batch, or that it is over. */
export async function noteBatch(
  sql: Sql,
  params: {
    readonly batch: BatchRecord;
    readonly note: AuditNote;
    readonly action: 'batch.create' | 'batch.abort' | 'batch.end';
  },
): Promise<void> {
  const { batch, note, action } = params;
  const { queues, rate, most, total, done, skipped, failed } = batch;
  const { terms: _, states, from, to, search, ...said } = batch.filter;
  // In the words in which it is asked for. The log is for those too who may not see inputs and notes.
  const filter = {
    state: states,
    ...said,
    ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
    ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
    ...(search === undefined ? {} : { search: tellsPayloads(batch.filter) ? 'hidden' : search }),
  };
  const what = { action: batch.action, state: batchState(batch) };
  const asked = { ...what, filter, queues, rate, limit: most, total };
  const after = action === 'batch.create' ? asked : { ...what, done, skipped, failed };
  await writeAudit(sql, { note, action, target: { kind: 'batch', id: batch.id }, after });
}

async function one(sql: Sql, id: string): Promise<BatchRecord | undefined> {
  return sql.row<BatchRecord>(`select ${BATCH_SELECT} from batch b where b.id = $1`, [id]);
}
