/** An index of a partitioned table. */
export interface HistoryIndex {
  /** Begins with the name of its table. */
  readonly name: string;
  readonly table: 'job' | 'attempt';
  /** What follows the table in `create index`. */
  readonly on: string;
}

/**
 * Indexes that history got after its first schema. No migration makes them, since making one locks out writers for as long as it takes
 * to read the table: whatever is missing here is built by `buildIndexes` while everybody goes on.
 */
export const historyIndexes: readonly HistoryIndex[] = [
  // Most jobs never expire, and those that are over are looked for no more.
  {
    name: 'job_expires',
    table: 'job',
    on: '(expires_at) where expires_at is not null and finished_at is null',
  },
  // Of what follows the end of a job that failed.
  {
    name: 'job_unfollowed',
    table: 'job',
    on: `(finished_at) where state in ('dead', 'expired') and not followed`,
  },
  { name: 'job_retry_of', table: 'job', on: '(retry_of, id) where retry_of is not null' },
  // Most jobs have no key, and those that are over are looked for no more.
  { name: 'job_unique', table: 'job', on: '(id) where unique_key is not null and finished_at is null' },
  // Cancels that nobody has carried out yet.
  {
    name: 'job_cancel',
    table: 'job',
    on: '(cancel_requested_at) where cancel_requested_at is not null and finished_at is null',
  },
];
