import { cancelledReason, isTerminal, NOT_BEGUN_STATES, type Position } from '@jetbeat/core';
import {
  askHeld,
  type Bus,
  type CancelledKeys,
  deleteJobMessage,
  type EventPublisher,
  readToEnd,
  removeParked,
  removeTimer,
} from '@jetbeat/jetstream';
import {
  cancelJob,
  type Database,
  databaseTime,
  type JobRecord,
  jobsOf,
  liveWorkers,
  noteCancelling,
  openCancels,
} from '@jetbeat/postgres';
import type { Hearing } from './hearing.ts';
import { inGroups } from './look-up.ts';
import { tellCancelled } from './tell-cancelled.ts';

/** What carrying out cancels needs. Times in milliseconds. */
export interface CarryOutParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: Pick<EventPublisher, 'publish'>;
  /** Tells every worker to drop a job, and to stop it where it runs. */
  readonly cancelled: Pick<CancelledKeys, 'put'>;
  readonly hearing: Pick<Hearing, 'within'>;
  /** Who has noted a cancel has so long to carry it out. */
  readonly afterMs: number;
  /** How long history may take to catch up. */
  readonly readToEndMs: number;
  /** How long the workers may take to say what they hold. */
  readonly heldWaitMs: number;
  /** Jobs in one pass. */
  readonly limit: number;
}

/** Jobs under way at the same time. */
const GROUP = 16;

/**
 * Carries out the cancels that were noted, and whose process died, or could not reach whom it needed: a cancel that is in history
 * holds. In the order in which an API does it: all workers are told, so that whatever is handed out from then on is dropped and what
 * runs is stopped; timers and parking places are removed; the live workers say what they have begun; history is read to its end. What nobody
 * has begun ends, the rest is `cancelling`. It may be repeated, cut off anywhere, and done by several at once.
 * @returns how many were looked at
 * @throws HistoryBehindError, or what PostgreSQL and JetStream throw; the next pass begins anew
 */
export async function carryOutCancels(params: CarryOutParams): Promise<number> {
  const { db, bus, events, cancelled, afterMs, readToEndMs, limit } = params;
  const found = await openCancels(db, { before: (await databaseTime(db)) - afterMs, limit });
  if (found.length === 0) return 0;
  await inGroups(found, GROUP, ({ id, cancelReason }) => cancelled.put(id, cancelReason));
  // Only history knows which workers there are, and it may lag behind.
  await readToEnd({ bus, timeoutMs: readToEndMs });
  await inGroups(found, GROUP, async ({ id, queue }) => {
    await removeTimer(bus, id);
    await removeParked(bus, { id, queue });
  });
  const { free, running } = await whoHas(params, found);
  for (const [{ id }, holder] of running)
    await noteCancelling(db, { id, now: await databaseTime(db), ...(holder ? { running: holder } : {}) });
  // Its place is read anew: history may have heard of another one since.
  const now = await jobsOf(db, free);
  await inGroups(now.filter(isWaiting), GROUP, ({ seq }) =>
    seq === undefined ? Promise.resolve(false) : deleteJobMessage(bus, seq),
  );
  // Nobody holds them: either they have not begun, or they have ended, and then that is stored already.
  await readToEnd({ bus, timeoutMs: readToEndMs });
  const ended = await inGroups(now, GROUP, (job) => end(db, job));
  await tellCancelled(
    { db, events },
    free.filter((id) => ended.includes(id)),
  );
  return found.length;
}

interface Holder {
  readonly worker: string;
  readonly position?: Position;
}

/** Which of the jobs no live worker has begun, and who has the others; whoever is storing an end is left to it. */
async function whoHas({ db, bus, hearing, heldWaitMs }: CarryOutParams, jobs: readonly JobRecord[]) {
  const queues = new Set(jobs.map(({ queue }) => queue));
  const live = await liveWorkers(db, { now: await databaseTime(db), within: hearing.within() });
  const asked = live.filter((worker) => worker.queues.some((queue) => queues.has(queue)));
  const { held, answered } = await askHeld(bus, {
    ids: jobs.map(({ id }) => id),
    expect: asked.map(({ id }) => id),
    timeoutMs: heldWaitMs,
    cancel: true,
  });
  const silent = new Set(asked.filter(({ id }) => !answered.has(id)).flatMap((worker) => worker.queues));
  const free: string[] = [];
  const running: [JobRecord, Holder | undefined][] = [];
  for (const job of jobs) {
    const { begun, settling, worker, position } = held.get(job.id) ?? {};
    if (begun && worker !== undefined) {
      if (!settling) running.push([job, { worker, ...(position ? { position } : {}) }]);
    } else if (silent.has(job.queue)) running.push([job, undefined]);
    else free.push(job.id);
  }
  return { free, running };
}

/** Ends a job that nobody holds; one whose worker is gone is dropped by whoever gets it next. */
async function end(db: Database, { id, cancelReason }: JobRecord): Promise<string | undefined> {
  const now = await databaseTime(db);
  const reason = cancelledReason(cancelReason ?? 'cancelled before it began');
  const ended = await cancelJob(db, { id, now, reason });
  if (ended?.cancelled) return id;
  if (ended && !isTerminal(ended.state)) await noteCancelling(db, { id, now });
  return undefined;
}

function isWaiting({ state }: JobRecord): boolean {
  return (NOT_BEGUN_STATES as readonly string[]).includes(state);
}
