import { type EndedEvent, expiredReason } from '@jetbeat/core';
import {
  type Bus,
  deleteJobMessage,
  type EventPublisher,
  readToEnd,
  removeParked,
  removeTimer,
} from '@jetbeat/jetstream';
import { type Database, databaseTime, expiredJobs, type JobRecord, stillExpired } from '@jetbeat/postgres';
import { askWorkers } from '../answers/ask-workers.ts';
import type { Hearing } from '../answers/hearing.ts';
import { inGroups } from './look-up.ts';

/** What expiring needs. Times in milliseconds. */
export interface ExpireParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly hearing: Pick<Hearing, 'within'>;
  /** A job is left alone for so long after its time: whoever has begun it at the last moment has told so by then. */
  readonly graceMs: number;
  /** How long history may take to catch up. */
  readonly readToEndMs: number;
  /** How long the workers may take to say what they hold. */
  readonly heldWaitMs: number;
  /** Jobs in one pass. */
  readonly limit: number;
}

/** Removals under way at the same time. */
const GROUP = 16;

/**
 * Ends jobs that expired before anybody began them, in the order of a cancel: timers and parking places are removed, the
 * live workers of their queues drop what waits there and say what they have begun, messages are deleted, history is read to
 * its end, and those that still have not begun are told of as expired. Workers look at the time themselves before they
 * begin, so a message that is on its way meanwhile, or whose place is not known, is dropped by whoever gets it. It may be
 * repeated, and done by several recorders at once.
 * @returns how many were looked at, and how many ended
 * @throws HistoryBehindError, or what PostgreSQL and JetStream throw; the next pass begins anew
 */
export async function expire(params: ExpireParams): Promise<{ looked: number; expired: number }> {
  const { db, bus, events, graceMs, readToEndMs, limit } = params;
  const before = (await databaseTime(db)) - graceMs;
  const due = await expiredJobs(db, { before, limit });
  if (due.length === 0) return { looked: 0, expired: 0 };
  // Only history knows which workers there are, and where a job waits, and it may lag behind.
  await readToEnd({ bus, timeoutMs: readToEndMs });
  const found = await stillExpired(db, { before, ids: due.map(({ id }) => id) });
  await inGroups(found, GROUP, (job) => removeWaiting(bus, job));
  const idle = await notBegun(params, found);
  await inGroups(idle, GROUP, ({ state, seq }) =>
    state === 'queued' && seq !== undefined ? deleteJobMessage(bus, seq) : Promise.resolve(false),
  );
  await readToEnd({ bus, timeoutMs: readToEndMs });
  const seen = new Map(idle.map(({ id, order }) => [id, order]));
  const known = await stillExpired(db, { before, ids: [...seen.keys()] });
  // What has moved on since waits in another place, and is looked at again.
  const still = known.filter(({ id, order }) => seen.get(id) === order);
  const at = await databaseTime(db);
  await Promise.all(still.map((job) => events.publish(ended(job, at))));
  return { looked: due.length, expired: still.length };
}

async function removeWaiting(bus: Bus, { id, queue, state }: JobRecord): Promise<void> {
  if (state === 'parked') await removeParked(bus, { id, queue });
  else if (state !== 'queued') await removeTimer(bus, id);
}

/** Those of the jobs that no live worker has begun. One that does not answer may have begun any of its queues. */
async function notBegun(params: ExpireParams, jobs: readonly JobRecord[]): Promise<JobRecord[]> {
  const { held, silent } = await askWorkers(params, jobs);
  return jobs.filter(({ id, queue }) => held.get(id)?.begun !== true && !silent.has(queue));
}

function ended(job: JobRecord, at: number): EndedEvent {
  const { id, task, queue, priority, createdAt, runAt, attempt, run, parks, traceId } = job;
  return {
    kind: 'ended',
    job: id,
    task,
    queue,
    priority,
    createdAt,
    runAt,
    attempt,
    run,
    parks,
    traceId,
    state: 'expired',
    // Without it, it would not have been found.
    reason: expiredReason(job.expiresAt ?? at, 'no worker has begun it in time'),
    at,
  };
}
