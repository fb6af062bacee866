import {
  type Asker,
  type JobEnvelope,
  orderOf,
  PHASES,
  parseTraceparent,
  type UniqueAsk,
} from '@jetbeat/core';
import type { Sql } from '../database/sql.ts';
import { type Column, toArrays, unnested } from '../history/columns.ts';
import { lockRetried } from './retries.ts';

/** A job to be written before it is published. */
export interface NewJob {
  /** At its first position. */
  readonly envelope: JobEnvelope;
  /** W3C trace context; absent: the job is a trace of its own. */
  readonly traceparent?: string | undefined;
  readonly state: 'queued' | 'scheduled';
  /** From its run time to its end at most (core `totalLimit`), milliseconds. */
  readonly totalLimitMs: number;
  /** `api`, or the origin of its occurrence. */
  readonly origin: string;
  /** The job that it is made from by a retry. */
  readonly retryOf?: string;
  /** Who asked for it; absent: its schedule, or what it follows from. */
  readonly requestedBy?: Asker | undefined;
  /** What its call wants of its key. */
  readonly unique?: UniqueAsk | undefined;
  /** How many bytes of text it has in memory, about, where the pass that made it knows. */
  readonly bytes?: number;
}

const COLUMNS: readonly Column<NewJob>[] = [
  { name: 'id', type: 'uuid', of: ({ envelope }) => envelope.id },
  { name: 'task', type: 'text', of: ({ envelope }) => envelope.task },
  { name: 'queue', type: 'text', of: ({ envelope }) => envelope.queue },
  { name: 'priority', type: 'text', of: ({ envelope }) => envelope.priority },
  { name: 'state', type: 'text', of: (job) => job.state },
  { name: '"position"', type: 'int8', of: ({ envelope }) => orderOf(envelope, PHASES.queued) },
  { name: 'attempt', type: 'int4', of: ({ envelope }) => envelope.attempt },
  { name: 'run', type: 'int4', of: ({ envelope }) => envelope.run },
  { name: 'parks', type: 'int4', of: ({ envelope }) => envelope.parks },
  { name: 'created_at', type: 'timestamptz', of: ({ envelope }) => envelope.createdAt },
  { name: 'run_at', type: 'timestamptz', of: ({ envelope }) => envelope.runAt },
  { name: 'expires_at', type: 'timestamptz', of: ({ envelope }) => envelope.expiresAt },
  { name: 'trace_id', type: 'text', of: (job) => parseTraceparent(job.traceparent)?.traceId },
  { name: 'traceparent', type: 'text', of: (job) => job.traceparent },
  { name: 'input', type: 'jsonb', of: ({ envelope }) => envelope.input },
  { name: 'meta', type: 'jsonb', of: ({ envelope }) => envelope.meta },
  { name: 'policy', type: 'jsonb', of: ({ envelope }) => envelope.policy },
  { name: 'schedule_id', type: 'uuid', of: ({ envelope }) => envelope.schedule?.id },
  { name: 'schedule_name', type: 'text', of: ({ envelope }) => envelope.schedule?.name },
  { name: 'nominal_time', type: 'timestamptz', of: ({ envelope }) => envelope.schedule?.nominalTime },
  { name: 'origin', type: 'text', of: (job) => job.origin },
  { name: 'total_limit_at', type: 'timestamptz', of: (job) => job.envelope.runAt + job.totalLimitMs },
  { name: 'parent', type: 'uuid', of: ({ envelope }) => envelope.parent },
  { name: 'unique_key', type: 'jsonb', of: ({ envelope }) => envelope.unique },
  { name: 'retry_of', type: 'uuid', of: (job) => job.retryOf },
  { name: 'requested_by', type: 'jsonb', of: (job) => job.requestedBy },
];
const NAMES = COLUMNS.map(({ name }) => name).join(', ');

/** How many values `jobValues` has, which `jobInsert` reads from $1 on. */
export const JOB_VALUES = COLUMNS.length;

/** SQL that writes jobs; ids that are there already stay as they are. It returns the ids that are new. @param where which of them */
export function jobInsert(where = ''): string {
  return `insert into job (${NAMES}, due_at, check_at, published, input_known)
  select ${NAMES}, run_at, run_at, false, true from (select ${unnested(COLUMNS)}) incoming ${where}
  on conflict (id) do nothing
  returning id`;
}

/** The values of `jobInsert`, in the order in which rows are written: the one that all writers keep. */
export function jobValues(jobs: readonly NewJob[]): readonly unknown[] {
  return toArrays(
    COLUMNS,
    jobs.toSorted((a, b) => (a.envelope.id < b.envelope.id ? -1 : 1)),
  );
}

const INSERT = jobInsert();

/** Writes jobs in one statement, and locks those that they retry; ids that are there already stay as they are. Returns the ids that are new. */
export async function writeNewJobs(sql: Sql, jobs: readonly NewJob[]): Promise<string[]> {
  if (jobs.length === 0) return [];
  const retried = jobs.flatMap(({ retryOf }) => (retryOf === undefined ? [] : [retryOf]));
  if (retried.length > 0) await lockRetried(sql, retried);
  const rows = await sql.rows<{ id: string }>(INSERT, jobValues(jobs));
  return rows.map((row) => row.id);
}
