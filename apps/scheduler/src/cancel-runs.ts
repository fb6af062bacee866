import { cancelledReason, NOT_BEGUN_STATES } from '@jetbeat/core';
import { type Bus, type CancelledKeys, removeParked, removeTimer, takeWaiting } from '@jetbeat/jetstream';
import {
  cancelJob,
  cancelledRuns,
  type Database,
  databaseTime,
  type JobRecord,
  noteCancelling,
  openAmong,
} from '@jetbeat/postgres';

/** What cancelling needs. */
export interface CancelRunsParams {
  readonly db: Database;
  readonly bus: Bus;
  /** Tells every worker to drop a job, and to stop it where it runs. */
  readonly cancelled: Pick<CancelledKeys, 'put'>;
  /** Those that have nothing more to be told by this process; kept between passes, until they are over. */
  readonly told: Set<string>;
  /** Jobs of one look. */
  readonly limit?: number;
}

const LIMIT = 200;

/**
 * Carries out the cancels that `cancel-previous` has written: tells the workers, and ends what no worker has got yet. Whoever
 * has it drops it, or stops it and says how it ended; then the run that waits goes on. It may be repeated, and done by several schedulers at once.
 * @returns how many were told
 */
export async function cancelRuns(params: CancelRunsParams): Promise<number> {
  const { db, cancelled, told, limit = LIMIT } = params;
  const open = new Set(await openAmong(db, [...told]));
  for (const id of told) if (!open.has(id)) told.delete(id);
  let count = 0;
  // Page after page: those that nothing can be done about yet hold up nobody behind them.
  for (let after: string | undefined; ; ) {
    const jobs = await cancelledRuns(db, { limit, after, except: [...told] });
    for (const job of jobs) {
      // The mark comes first: whatever is handed out from then on is dropped.
      await cancelled.put(job.id, job.cancelReason);
      if (await end(params, job)) told.add(job.id);
    }
    count += jobs.length;
    after = jobs.at(-1)?.id;
    if (jobs.length < limit) return count;
  }
}

/** Whether nothing is left to do: a worker runs it and was told, or it was taken out. Else it is on its way, and is looked at again. */
async function end({ db, bus }: CancelRunsParams, job: JobRecord): Promise<boolean> {
  const now = await databaseTime(db);
  const waits = (NOT_BEGUN_STATES as readonly string[]).includes(job.state);
  if (waits && (await takeOut(bus, job))) {
    await cancelJob(db, { id: job.id, now, reason: cancelledReason(job.cancelReason ?? 'cancelled') });
    return true;
  }
  if (job.state === 'running') await noteCancelling(db, { id: job.id, now });
  return job.state === 'running';
}

/** Whether the job was removed from JetStream before a worker could have it. */
async function takeOut(bus: Bus, { id, queue, seq }: JobRecord): Promise<boolean> {
  if ((await removeTimer(bus, id)) + (await removeParked(bus, { id, queue })) > 0) return true;
  return seq !== undefined && takeWaiting(bus, { id, seq });
}
