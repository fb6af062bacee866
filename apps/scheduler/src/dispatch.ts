import type { Database, DueOccurrence, dispatchPass, NewJob } from '@jetbeat/postgres';
import { type DecideParams, decideOccurrence } from './decide.ts';

/** What dispatching needs. */
export interface DispatchParams extends DecideParams {
  readonly db: Database;
  /** The transaction; a test may wrap it. */
  readonly dispatchPass: typeof dispatchPass;
  /** Takes what is committed and has to be published. */
  readonly publish: (jobs: readonly NewJob[]) => void;
  /** Takes what is committed and has to be told to the workers: jobs that are cancelled. */
  readonly cancel: (ids: readonly string[]) => void;
}

/** Where EVENTS stood after the due times of the pass; unknown while NATS is away. */
export interface EventsMarks {
  /** Its last sequence. */
  readonly lastSeq: number;
  /** Everything up to here is in history; read before `lastSeq`. */
  readonly recordedUpTo: number;
}

/** What was done. */
export interface DispatchCounts {
  readonly dispatched: number;
  readonly skipped: number;
  /** Occurrences that began to wait until a job has ended. */
  readonly buffered: number;
  /** Occurrences that wait until history has caught up. */
  readonly waiting: number;
}

/** Occurrences of one transaction. */
const LIMIT = 500;
const ROUNDS = 20;

/**
 * Decides every occurrence that is due, and hands the jobs that were made to `publish`, one transaction after the other.
 * @param now PostgreSQL's time, Unix milliseconds
 */
export async function dispatch(
  params: DispatchParams,
  now: number,
  events: EventsMarks | undefined,
): Promise<DispatchCounts> {
  const counts = { dispatched: 0, skipped: 0, buffered: 0, waiting: 0 };
  const known = { now, recordedUpTo: events?.recordedUpTo ?? 0, lastSeq: events?.lastSeq };
  const decide = (due: DueOccurrence) => decideOccurrence(params, due, known);
  for (let round = 0; round < ROUNDS; round++) {
    const { recordedUpTo } = known;
    const done = await params.dispatchPass(params.db, { now, limit: LIMIT, recordedUpTo, decide });
    params.fires?.committed(done.dispatched);
    if (done.dispatched.length > 0) params.publish(done.dispatched);
    if (done.cancelled.length > 0) params.cancel(done.cancelled);
    counts.dispatched += done.dispatched.length;
    counts.skipped += done.skipped;
    counts.buffered += done.buffered;
    counts.waiting = done.waiting;
    if (done.looked < LIMIT) break;
  }
  return counts;
}
