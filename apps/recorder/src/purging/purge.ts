import { jobsStreamState, putQueueSettings, readToEnd } from '@jetbeat/jetstream';
import {
  changeQueue,
  liveWorkers,
  purgingQueues,
  type QueuePurge,
  type QueueRecord,
  settingsOf,
} from '@jetbeat/postgres';
import { purgeLanes } from './purge-lanes.ts';
import type { PurgeParams, PurgeStep } from './purge-step.ts';
import { purgeParked, purgeTimers } from './purge-waiting.ts';

/** Where a purge has got to. The places come one after the other. */
interface Cursor {
  readonly place: 'lanes' | 'parked' | 'timers';
  /** Where to read on: a sequence, or the last id. */
  readonly from: string;
}

/** How long a step that could not be done is left alone, milliseconds. */
const AGAIN_MS = 500;

/**
 * Takes one step of every purge that is under way. Workers know the mark of a purge and begin nothing that is below it, so
 * what they do not hold can be told of as cancelled, and then be deleted: in this order, so that a step which is cut
 * off is simply done again. Several recorders may do so at once.
 * @returns 0 when there is more to do; undefined when there is nothing
 */
export async function purge(params: PurgeParams): Promise<number | undefined> {
  const queues = await purgingQueues(params.db);
  if (queues.length === 0) return undefined;
  const { created } = await jobsStreamState(params.bus);
  let isStuck = false;
  for (const queue of queues) {
    if (!queue.purge) continue;
    // What the mark speaks of went with its stream.
    if (queue.purge.streamCreated !== created) await note(params, queue, { removed: 0 }, undefined);
    else isStuck = (await step(params, queue, queue.purge)) || isStuck;
  }
  return isStuck ? AGAIN_MS : 0;
}

/** Returns whether it could not go on. */
async function step(params: PurgeParams, queue: QueueRecord, purge: QueuePurge): Promise<boolean> {
  const { db, bus, hearing, clock, doubtWaitMs } = params;
  const cursor = parseCursor(purge.cursor);
  // Only history knows which workers there are, and it may lag behind.
  await readToEnd({ bus, timeoutMs: doubtWaitMs });
  const live = await liveWorkers(db, { now: clock(), within: hearing.within() });
  const workers = live.filter((worker) => worker.queues.includes(queue.name)).map(({ id }) => id);
  const at = { ...params, queue: queue.name, purge, workers, from: cursor.from };
  const done = await STEPS[cursor.place](at);
  if (done.again) return true;
  await note(
    params,
    queue,
    done,
    done.next === undefined ? after(cursor, purge) : { ...cursor, from: done.next },
  );
  return false;
}

const STEPS = { lanes: purgeLanes, parked: purgeParked, timers: purgeTimers };

/** Notes how far it is, unless another recorder was faster; without a place it is over. */
async function note(
  { db, bus, log, clock }: PurgeParams,
  { name, purge }: QueueRecord,
  { removed }: PurgeStep,
  next: Cursor | undefined,
): Promise<void> {
  const now = clock();
  const queue = await changeQueue(db, {
    name,
    now,
    change: ({ purge: current }) => {
      if (!current || current.cursor !== purge?.cursor || current.at !== purge?.at) return undefined;
      if (current.doneAt !== undefined) return undefined;
      const { cursor: _, ...rest } = current;
      const total = current.removed + removed;
      const place = next ? { cursor: `${next.place}:${next.from}` } : { doneAt: now };
      return { purge: { ...rest, ...place, removed: total } };
    },
  });
  if (next) return;
  await putQueueSettings(bus, name, settingsOf(queue));
  log.info({ queue: name, removed: queue.purge?.removed }, 'the queue is purged');
}

function parseCursor(text = 'lanes:1'): Cursor {
  const [place = '', from = ''] = text.split(':');
  return { place: place in STEPS ? (place as Cursor['place']) : 'lanes', from };
}

function after({ place }: Cursor, { timers }: QueuePurge): Cursor | undefined {
  if (place === 'lanes') return { place: 'parked', from: '1' };
  return place === 'parked' && timers ? { place: 'timers', from: '' } : undefined;
}
