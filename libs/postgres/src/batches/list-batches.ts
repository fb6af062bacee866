import type { BatchAction } from '@jetbeat/core';
import { type Database, inside } from '../database/database.ts';
import type { Total } from '../jobs/count-jobs.ts';
import { countNewest } from '../jobs/count-newest.ts';
import { binder } from '../jobs/walk-jobs.ts';
import { BATCH_IN_BRIEF, type BatchRecord, type BatchState } from './batches.ts';

/** Which batches. */
export interface BatchesFilter {
  /** Only those that are for no other queues than these. */
  readonly queues?: readonly string[] | undefined;
  readonly action?: BatchAction | undefined;
  readonly state?: BatchState | undefined;
}

/** Of a batch in a list: more ids than these are left out, and so are failures beyond these. */
const LISTED_IDS = 20;
const LISTED_FAILURES = 5;
const MANY_IDS = `jsonb_array_length(b.filter->'ids') > ${LISTED_IDS}`;
const MANY_FAILURES = `jsonb_array_length(b.failures) > ${LISTED_FAILURES}`;
const LIST_SELECT = `${BATCH_IN_BRIEF}, case when ${MANY_IDS} then b.filter - 'ids' else b.filter end as filter,
  jsonb_path_query_array(b.failures, '$[0 to ${LISTED_FAILURES - 1}]') as failures,
  array_remove(array[case when ${MANY_IDS} then 'ids' end, case when ${MANY_FAILURES} then 'failures' end], null) as cut`;

/** Batches, newest first, what is large of them cut. */
export async function listBatches(
  db: Database,
  params: BatchesFilter & {
    readonly limit: number;
    /** The last one of the page before. */
    readonly after?: { readonly createdAt: number; readonly id: string } | undefined;
  },
): Promise<BatchRecord[]> {
  const { queues, action, state, limit, after } = params;
  const { values, bind } = binder([limit]);
  const where = [
    'true',
    ...fitsOf({ queues, action, state }, bind),
    ...(after
      ? [`(b.created_at, b.id) < (${bind(new Date(after.createdAt))}, ${bind(after.id)}::uuid)`]
      : []),
  ];
  return inside(db).rows<BatchRecord>(
    `select ${LIST_SELECT} from batch b where ${where.join(' and ')} order by ${NEWEST} limit $1`,
    values,
  );
}

/** How many of them fit, as far as that is cheap to tell. */
export function countBatches(db: Database, filter: BatchesFilter): Promise<Total> {
  const { values, bind } = binder();
  const fits = fitsOf(filter, bind);
  return countNewest(db, { from: 'batch b', walk: [], fits, order: NEWEST, values });
}

const NEWEST = 'b.created_at desc, b.id desc';

function fitsOf({ queues, action, state }: BatchesFilter, bind: (value: unknown) => string): string[] {
  return [
    ...(queues ? [`b.queues <@ ${bind([...queues])}::text[]`] : []),
    ...(action ? [`b.action = ${bind(action)}`] : []),
    ...(state ? [ofState(state)] : []),
  ];
}

function ofState(state: BatchState): string {
  const isOver = state === 'aborted' || state === 'done';
  const isAborted = state === 'aborting' || state === 'aborted';
  return `b.finished_at is ${isOver ? 'not ' : ''}null and b.abort_at is ${isAborted ? 'not ' : ''}null`;
}
