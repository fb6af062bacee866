import { cancelledReason, isTerminal, NOT_BEGUN_STATES, type Position } from '@jetbeat/core';
import {
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
  noteCancelling,
  type OpenCancelPlace,
  openCancels,
} from '@jetbeat/postgres';
import { askWorkers } from '../answers/ask-workers.ts';
import type { Hearing } from '../answers/hearing.ts';
import { inGroups } from '../reconciling/look-up.ts';
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
  /** The most marks that `progress` remembers; without it `MAX_TOLD`. */
  readonly maxTold?: number;
  readonly progress: CarryOutProgress;
}

/** What is kept between passes. */
export interface CarryOutProgress {
  /** Behind which job the next pass goes on; absent: at the beginning. */
  after?: OpenCancelPlace | undefined;
  /** Those whose mark this process has put, until nothing is left to do of them; `MAX_TOLD` of them at most. */
  readonly told: Set<string>;
}

/** What a pass did. */
export interface CarriedOut {
  readonly looked: number;
  /** So many have ended, or end by who has them. */
  readonly done: number;
  /** There are others behind these. */
  readonly more: boolean;
}

/** Jobs under way at the same time. */
const GROUP = 16;
/** Marks that a process remembers to have put; those beyond are put again in each pass, which costs time and changes nothing. */
const MAX_TOLD = 100_000;

/**
 * Carries out the cancels that were noted, and whose process died, or could not reach whom it needed: a cancel that is in history
 * holds. In the order in which an API does it: all workers are told, so that whatever is handed out from then on is dropped and what
 * runs is stopped; timers and parking places are removed; the live workers say what they have begun; history is read to its end. What nobody
 * has begun ends, what runs is `cancelling`. What a worker may have that does not answer stays as it is while it waits, since its message may be
 * taken out already: it ends when that worker answers, or counts as gone. It may be repeated, cut off anywhere, and done by several at once.
 *
 * One page in a pass, and the next one behind it: those that nothing can be done about yet hold up nobody. The marks of all come before the first page.
 * @throws HistoryBehindError, or what PostgreSQL and JetStream throw; the next pass begins with the same page
 */
export async function carryOutCancels(params: CarryOutParams): Promise<CarriedOut> {
  const { db, bus, events, afterMs, readToEndMs, limit, progress } = params;
  const before = (await databaseTime(db)) - afterMs;
  if (!progress.after) await tellAll(params, before);
  const found = await openCancels(db, { before, limit, after: progress.after });
  const more = found.length === limit;
  const step = (done: number): CarriedOut => {
    progress.after = more ? placeOf(found) : undefined;
    return { looked: found.length, done, more };
  };
  if (found.length === 0) return step(0);
  await tell(params, found);
  // Only history knows which workers there are, and it may lag behind.
  await readToEnd({ bus, timeoutMs: readToEndMs });
  const removed = await inGroups(found, GROUP, async ({ id, queue }) => {
    const count = (await removeTimer(bus, id)) + (await removeParked(bus, { id, queue }));
    return count > 0 ? id : undefined;
  });
  const { free, running } = await whoHas(params, found, new Set(removed));
  let done = 0;
  for (const [{ id }, holder] of running) {
    const noted = { id, now: await databaseTime(db), ...(holder ? { running: holder } : {}) };
    if ((await noteCancelling(db, noted)) === 'cancelling') done += 1;
  }
  // Its place is read anew: history may have heard of another one since.
  const now = await jobsOf(db, free);
  await inGroups(now.filter(isWaiting), GROUP, ({ seq }) =>
    seq === undefined ? Promise.resolve(false) : deleteJobMessage(bus, seq),
  );
  // Nobody holds them: either they have not begun, or they have ended, and then that is stored already.
  await readToEnd({ bus, timeoutMs: readToEndMs });
  const states = await inGroups(now, GROUP, (job) => end(db, job));
  done += states.filter((state) => state !== 'open').length;
  const ended = now.filter((_, index) => states[index] === 'cancelled').map(({ id }) => id);
  await tellCancelled({ db, events }, ended);
  return step(done);
}

/** Puts the marks of all whose cancel is open, whatever stands in the way of the rest, and forgets those that are not any more. */
async function tellAll(params: CarryOutParams, before: number): Promise<void> {
  const { db, limit, progress } = params;
  // Of those remembered, so that it grows no larger than they do.
  const open = new Set<string>();
  for (let after: OpenCancelPlace | undefined; ; ) {
    const page = await openCancels(db, { before, limit, after });
    await tell(params, page);
    for (const { id } of page) if (progress.told.has(id)) open.add(id);
    after = placeOf(page);
    if (page.length < limit) break;
  }
  for (const id of progress.told) if (!open.has(id)) progress.told.delete(id);
}

/** Tells the workers of those of which this process has not yet. */
async function tell(params: CarryOutParams, jobs: readonly JobRecord[]): Promise<void> {
  const { cancelled, progress, maxTold = MAX_TOLD } = params;
  const untold = jobs.filter(({ id }) => !progress.told.has(id));
  if (untold.length === 0) return;
  await inGroups(untold, GROUP, ({ id, cancelReason }) => cancelled.put(id, cancelReason));
  for (const { id } of untold) if (progress.told.size < maxTold) progress.told.add(id);
}

function placeOf(page: readonly JobRecord[]): OpenCancelPlace | undefined {
  const last = page.at(-1);
  return last?.cancelRequestedAt === undefined ? undefined : { at: last.cancelRequestedAt, id: last.id };
}

interface Holder {
  readonly worker: string;
  readonly position?: Position;
}

/**
 * Which of the jobs no live worker has begun, and who has the others; whoever is storing an end is left to it, and what a worker may have
 * begun that does not answer to the next pass, unless history says that it runs.
 * @param removed their messages were taken out where nobody can have had them
 */
async function whoHas(
  params: CarryOutParams,
  jobs: readonly JobRecord[],
  removed: ReadonlySet<string | undefined>,
) {
  const { held, silent } = await askWorkers(params, jobs);
  const free: string[] = [];
  const running: [JobRecord, Holder | undefined][] = [];
  for (const job of jobs) {
    const { begun, settling, worker, position } = held.get(job.id) ?? {};
    if (begun && worker !== undefined) {
      if (!settling) running.push([job, { worker, ...(position ? { position } : {}) }]);
    } else if (removed.has(job.id) || !silent.has(job.queue)) free.push(job.id);
    else if (job.state === 'running') running.push([job, undefined]);
  }
  return { free, running };
}

/** Ends a job that nobody holds; one whose worker is gone is dropped by whoever gets it next. */
async function end(db: Database, { id, cancelReason }: JobRecord): Promise<'cancelled' | 'told' | 'open'> {
  const now = await databaseTime(db);
  const reason = cancelledReason(cancelReason ?? 'cancelled before it began');
  const ended = await cancelJob(db, { id, now, reason });
  if (ended?.cancelled) return 'cancelled';
  if (!ended || isTerminal(ended.state)) return 'told';
  return (await noteCancelling(db, { id, now })) === 'cancelling' ? 'told' : 'open';
}

function isWaiting({ state }: JobRecord): boolean {
  return (NOT_BEGUN_STATES as readonly string[]).includes(state);
}
