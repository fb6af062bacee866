import { type Event, type JobEvent, project, type WorkerEvent } from '@jetbeat/core';
import type { EventDelivery, Log } from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  isRefusedByData,
  type recordChanges,
  splitLimits,
} from '@jetbeat/postgres';
import type { Tally } from '../counts.ts';
import { readBatch } from './read-batch.ts';
import { settledIn } from './settled-marks.ts';
import type { TraceRecords } from './trace-records.ts';

/** What recording needs. */
export interface RecordParams {
  readonly db: Database;
  readonly log: Log;
  readonly tally: Tally;
  readonly recordChanges: typeof recordChanges;
  readonly records?: TraceRecords | undefined;
  /** A worker that was not heard of for so long is gone, in milliseconds. */
  readonly ackWaitMs: number;
  /** Called with what has been committed and acknowledged. */
  readonly onRecorded: (events: readonly Event[], settled: ReadonlyMap<string, number>) => void;
}

const SPLIT =
  'a worker has come whose code says other limits of a task than that of workers that run: until those are gone each holds to its own; where the stricter must hold, say it at run time (PATCH /tasks/{name})';

/**
 * Records what was pulled from EVENTS: one transaction, then the acknowledgements. Everything may come twice and in any
 * order, here and at other recorders at the same time; the projection makes the same rows of it.
 * @throws what PostgreSQL throws when it is away; then nothing was acknowledged
 */
export async function recordDeliveries(
  params: RecordParams,
  deliveries: readonly EventDelivery[],
): Promise<void> {
  const { tally } = params;
  const events: Event[] = [];
  let eventsSeq = 0;
  for (const { seq, data } of deliveries) {
    const batch = readBatch(data);
    if (batch.malformed || batch.skipped > 0)
      tally.skip({ batches: batch.malformed ? 1 : 0, events: batch.skipped, seq });
    for (const event of batch.events) events.push(event);
    eventsSeq = Math.max(eventsSeq, seq);
  }
  const write = () => recordEvents(params, events, eventsSeq);
  const recorded = await (params.records ? params.records.run(events, write) : write());
  for (const delivery of deliveries) delivery.ack();
  tally.counts.batches += deliveries.length;
  tally.counts.events += recorded.length;
  params.onRecorded(recorded, settledIn(recorded));
}

/**
 * Records events, and finds the one that PostgreSQL refuses by halving: it alone is passed by.
 * @returns what was recorded
 */
async function recordEvents(
  params: RecordParams,
  events: readonly Event[],
  eventsSeq: number,
): Promise<readonly Event[]> {
  if (events.length === 0) return events;
  try {
    await write(params, events);
    return events;
  } catch (error) {
    if (!isRefusedByData(error)) throw error;
    if (events.length === 1) {
      params.tally.skip({ batches: 0, events: 1, seq: eventsSeq, err: error });
      return [];
    }
    const middle = events.length >> 1;
    const first = await recordEvents(params, events.slice(0, middle), eventsSeq);
    return [...first, ...(await recordEvents(params, events.slice(middle), eventsSeq))];
  }
}

async function write(params: RecordParams, events: readonly Event[]): Promise<void> {
  const { db, recordChanges, tally, log } = params;
  const jobEvents: JobEvent[] = [];
  const workers: WorkerEvent[] = [];
  for (const event of events) {
    if (event.kind === 'worker') workers.push(event);
    // History has it already: writing the row once more would cost as much as its end.
    else if (event.kind !== 'published') jobEvents.push(event);
  }
  if (jobEvents.length + workers.length === 0) return;
  const changes = project(jobEvents);
  const now = workers.length > 0 ? await databaseTime(db) : 0;
  const splits = await splitsOf(params, workers, now);
  const { late } = await recordChanges(db, {
    changes,
    workers,
    now,
    settled: settledIn(events),
  });
  tally.counts.late += late;
  for (const split of splits) log.warn({ ...split }, SPLIT);
}

/** Of workers that say their tasks, as they do when they start, and when NATS is back. Nothing but a warning depends on it. */
async function splitsOf({ db, ackWaitMs }: RecordParams, workers: readonly WorkerEvent[], now: number) {
  if (!workers.some(({ state, tasks }) => state === 'running' && tasks)) return [];
  return splitLimits(db, { workers, heardSince: now - ackWaitMs });
}
