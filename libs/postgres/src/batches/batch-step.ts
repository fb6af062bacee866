import { batchPace, pacedAfter } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { ms, type Sql } from '../database/sql.ts';
import { JOB_SELECT, type JobRecord, type JobRow, jobRecord } from '../jobs/job-record.ts';
import { type NewJob, writeNewJobs } from '../jobs/new-job.ts';
import { lockRetried, retriedOf } from '../jobs/retries.ts';
import type { ScanBudget } from '../jobs/scan-jobs.ts';
import { batchIds } from './batch-filter.ts';
import { BATCH_SELECT, type BatchFailure, type BatchRecord, noteBatch } from './batches.ts';

/** Jobs in one step. */
const STEP = 100;
/** How far is looked for the next ones in one step. */
const BUDGET: ScanBudget = { rows: 100_000, ms: 1_500 };
/** How soon a batch that waits for history asks again, milliseconds. */
const AGAIN_MS = 1_000;
/** Why a batch stands still whose next jobs cannot be found. */
const TOO_SLOW =
  'PostgreSQL takes too long to look into the next jobs; it is tried again: a filter that names states, tasks or queues looks at fewer';
/** Failures that are listed. */
const LISTED = 100;

/** Jobs of a batch that whoever holds this is to act on. */
export interface BatchStep {
  readonly batch: BatchRecord;
  readonly ids: readonly string[];
  /** How often somebody has tried the same ones and could not. */
  readonly tries: number;
  /** Proves that it is still his: see `settleBatchStep`. */
  readonly lease: string;
}

type Row = BatchRecord & {
  readonly lastId: string | null;
  readonly pending: readonly string[];
  readonly tries: number;
  readonly pacedAt: number;
  readonly heard: boolean;
};

/**
 * Takes the next jobs of a batch, as many as its rate allows by now: which ones is stored, so that whoever comes after a
 * crash acts on the same ones. Of several processes one has them at a time, until its lease is over.
 *
 * It is over only when it has come to the end of what history knew once that had heard of all that was before the batch. Until then it goes on with
 * what is known, and then begins anew: what is heard of later may lie before the place that it has come to.
 * @param params.now by PostgreSQL's clock, Unix milliseconds
 * @param params.behind tells why history may not have heard of everything yet; undefined: it has
 * @returns undefined when there is nothing to do now: somebody else has it, its rate is used up, it looks for more, or it is over
 */
export async function takeBatchStep(
  db: Database,
  params: {
    readonly id: string;
    readonly now: number;
    /** A new one for each call: a UUID. */
    readonly lease: string;
    readonly leaseMs: number;
    readonly behind?: () => Promise<string | undefined>;
  },
): Promise<BatchStep | undefined> {
  const { id, now, lease, leaseMs } = params;
  const row = await inside(db).row<Row>(
    `update batch b set lease = $3, lease_until = $4 where b.id = (
       select id from batch where id = $1 and finished_at is null and (lease is null or lease_until < $2)
         and (pending <> '{}' or abort_at is not null or done >= most or paced_at + interval '1 second' / rate <= $2)
         for update skip locked)
     returning ${BATCH_SELECT}, b.last_id as "lastId", b.pending, b.tries, ${ms('b.paced_at')} as "pacedAt", b.heard`,
    [id, new Date(now), lease, new Date(now + leaseMs)],
  );
  if (!row) return undefined;
  const { pending, tries, ...rest } = row;
  const { lastId: _, pacedAt, heard: __, ...batch } = rest;
  if (pending.length > 0 && (batch.abortAt === null || tries === 0))
    return { batch, ids: pending, tries, lease };
  const left = batch.most === null ? STEP : batch.most - batch.done;
  if (batch.abortAt !== null || left <= 0) return end(db, { batch, pending, lease, now });
  const limit = Math.min(STEP, left, batchPace({ rate: batch.rate, pacedAt, now }));
  if (limit <= 0) return letGo(db, id, lease);
  return begin(db, { ...params, row: rest, batch, limit });
}

/** Looks for the next jobs and stores which ones they are. */
async function begin(
  db: Database,
  params: Parameters<typeof takeBatchStep>[1] & {
    readonly row: Pick<Row, 'lastId' | 'pacedAt' | 'heard'>;
    readonly batch: BatchRecord;
    readonly limit: number;
  },
): Promise<BatchStep | undefined> {
  const { id, now, lease, leaseMs, behind = async () => undefined, row, batch, limit } = params;
  const { lastId, pacedAt } = row;
  const begun = performance.now();
  const isFirst = lastId === null && !row.heard;
  const why = isFirst ? await behind() : undefined;
  const heard = row.heard || (isFirst && why === undefined);
  const scope = { ...batch, queues: batch.queues ?? undefined };
  const { ids, edge, isStalled } = await batchIds(db, scope, { limit, after: lastId, budget: BUDGET });
  const nowOn = () => now + (performance.now() - begun);
  if (ids.length === 0 && edge === undefined && !isStalled) {
    if (heard) return end(db, { batch, pending: [], lease, now });
    return listen(db, { id, lease, missing: why ?? (await behind()), until: nowOn() + AGAIN_MS });
  }
  const paced = pacedAfter({ rate: batch.rate, pacedAt, now, taken: ids.length });
  // Behind the last one everything is known too.
  const lastLooked = edge ?? ids.at(-1) ?? lastId;
  // Of one that was aborted meanwhile nothing is begun. Where nothing could be looked at it is kept from being tried until its lease is over.
  const isKept = ids.length > 0 || isStalled === true;
  const values = [[...ids], lastLooked, new Date(paced), isKept, new Date(nowOn() + leaseMs)];
  const isHeld = await inside(db).run(
    `update batch set pending = $3::uuid[], last_id = $4::uuid, tries = 0, paced_at = $5,
       lease = case when $6 then lease end, lease_until = $7, waiting_for = $8, heard = $9
       where id = $1 and lease = $2 and abort_at is null and finished_at is null`,
    [id, lease, ...values, isStalled ? TOO_SLOW : null, heard],
  );
  return isHeld > 0 && ids.length > 0 ? { batch, ids, tries: 0, lease } : undefined;
}

async function letGo(db: Database, id: string, lease: string): Promise<undefined> {
  await inside(db).run('update batch set lease = null where id = $1 and lease = $2', [id, lease]);
}

/**
 * Waits for what history has not heard of yet; when it has, all of it is looked at once more. What was done falls out by itself; what had
 * failed, and still fits, is tried once more, and so it is counted anew.
 */
async function listen(
  db: Database,
  params: {
    readonly id: string;
    readonly lease: string;
    readonly missing: string | undefined;
    readonly until: number;
  },
): Promise<undefined> {
  const { id, lease, missing, until } = params;
  const again = `heard = true, last_id = null, waiting_for = null, lease = null, failed = 0, failures = '[]'`;
  const wait = `waiting_for = $3, lease_until = $4`;
  await inside(db).run(
    `update batch set ${missing === undefined ? again : wait} where id = $1 and lease = $2`,
    missing === undefined ? [id, lease] : [id, lease, missing, new Date(until)],
  );
}

/** It is over. What an aborted one has not got on with is left as it is. */
async function end(
  db: Database,
  params: {
    readonly batch: BatchRecord;
    readonly pending: readonly string[];
    readonly lease: string;
    readonly now: number;
  },
): Promise<undefined> {
  const { batch, pending, lease, now } = params;
  await inside(db).transaction(async (sql) => {
    const changed = await sql.run(
      `update batch set finished_at = $3, waiting_for = null, lease = null, pending = '{}', skipped = skipped + $4
       where id = $1 and lease = $2 and finished_at is null`,
      [batch.id, lease, new Date(now), pending.length],
    );
    if (changed === 0) return;
    const over = { ...batch, finishedAt: now, skipped: batch.skipped + pending.length };
    await noteBatch(sql, { batch: over, note: batch.asked, action: 'batch.end' });
  });
}

/** What became of the jobs of a step. */
export interface BatchOutcome {
  readonly done: number;
  readonly skipped: number;
  readonly failures: readonly BatchFailure[];
  /** Those that have to be tried again. */
  readonly left: readonly string[];
  /** Why, if there are any. */
  readonly waitingFor?: string | undefined;
  /** Jobs to be made. */
  readonly made?: readonly NewJob[];
  /** Jobs whose dead letters were thrown away. */
  readonly discarded?: readonly string[];
}

/**
 * Notes what became of the jobs of a step, together with what is to be written of it: either both hold or nothing does. What was
 * taken over by somebody else meanwhile is left to him.
 * @returns the jobs that were made, to be published; undefined where it is not this one's any more
 */
export async function settleBatchStep(
  db: Database,
  params: BatchOutcome & {
    readonly step: Pick<BatchStep, 'batch' | 'lease'>;
    /** Unix milliseconds. */
    readonly now: number;
  },
): Promise<readonly NewJob[] | undefined> {
  const { step, now, done, skipped, failures, left, waitingFor, made = [], discarded = [] } = params;
  return inside(db).transaction(async (sql) => {
    const isIdle = done + skipped + failures.length === 0;
    const changed = await sql.run(
      `update batch set lease = null, pending = $3::uuid[], waiting_for = $4, tries = case when $5 then tries + 1 else 0 end,
         done = done + $6, skipped = skipped + $7, failed = failed + $8,
         failures = case when jsonb_array_length(failures) < ${LISTED} then failures || $9::jsonb else failures end
       where id = $1 and lease = $2`,
      [
        ...[step.batch.id, step.lease, [...left], waitingFor ?? null, isIdle],
        ...[done, skipped, failures.length, toJson(failures.slice(0, LISTED))],
      ],
    );
    if (changed === 0) return undefined;
    const wanted = await notRetried(sql, made);
    if (wanted.length < made.length)
      await sql.run('update batch set done = done - $2, skipped = skipped + $2 where id = $1', [
        ...[step.batch.id, made.length - wanted.length],
      ]);
    const isNew = new Set(await writeNewJobs(sql, wanted));
    if (discarded.length > 0)
      await sql.run(
        `update job set discarded_at = $2 where id = any($1::uuid[]) and state = 'dead' and discarded_at is null`,
        [[...discarded], new Date(now)],
      );
    return wanted.filter(({ envelope }) => isNew.has(envelope.id));
  });
}

/** Leaves out the retries of jobs that somebody else has retried since they were taken. */
async function notRetried(sql: Sql, made: readonly NewJob[]): Promise<readonly NewJob[]> {
  const old = made.flatMap(({ retryOf }) => (retryOf === undefined ? [] : [retryOf]));
  if (old.length === 0) return made;
  await lockRetried(sql, old);
  const retried = await retriedOf(sql, old);
  return made.filter(({ retryOf }) => retryOf === undefined || !retried.has(retryOf));
}

/** Jobs by their ids, in any order; those that are not known are left out. */
export async function jobsOf(db: Database, ids: readonly string[]): Promise<JobRecord[]> {
  const rows = await inside(db).rows<JobRow>(`select ${JOB_SELECT} from job j where j.id = any($1::uuid[])`, [
    [...ids],
  ]);
  return rows.map(jobRecord);
}
