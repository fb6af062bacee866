import { concurrencyHash, type Event, factsOf, messageId } from '@jetbeat/core';
import {
  type Bus,
  deleteJobMessage,
  type EventPublisher,
  findMessage,
  type JobToPublish,
  type ParkedWhat,
  parkedSubject,
  publishJobs,
  readToEnd,
  type StoredJob,
} from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  getJob,
  type ParkedJob,
  parkedToRelease,
  rebuildJob,
} from '@jetbeat/postgres';
import { inGroups } from '../reconciling/look-up.ts';

/** What releasing needs. */
export interface ReleaseParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EventPublisher;
  /** How long ago a worker may have been heard of and still count as serving its tasks, in milliseconds. */
  readonly within: number;
  /** Jobs in one pass. */
  readonly limit: number;
  /** How long history may take to catch up before a missing message counts as lost, in milliseconds. */
  readonly readToEndMs: number;
}

/** What says where a job is parked. */
type Parked = Pick<ParkedJob, 'id' | 'task' | 'queue' | 'what' | 'key' | 'rate' | 'traceId'>;

/** A job that goes back to its queue. */
export interface Freed {
  readonly job: Pick<Parked, 'traceId'>;
  readonly publish: JobToPublish;
  /** Its parking place; absent when that is empty. */
  readonly seq?: number;
}

/** Look-ups under way at the same time. */
const LOOK_UPS = 32;

/**
 * Puts parked jobs back on their queues, the oldest first, when what held them is free. The order is such that a crash
 * between any two steps leaves the job in JetStream: publish, tell history, then clear the parking place. A repeat of the
 * publish is refused as a duplicate, or is met with a doubt.
 * @returns how many were released
 */
export async function release(params: ReleaseParams): Promise<number> {
  const { db, bus, events, within, limit } = params;
  const now = await databaseTime(db);
  const parked = await parkedToRelease(db, { now, within, limit });
  const found = await inGroups(parked, LOOK_UPS, (job) => find(bus, job));
  const freed = found.filter((one) => one !== undefined);
  const missing = parked.filter((_, index) => found[index] === undefined);
  if (missing.length > 0) freed.push(...(await rebuild(params, missing)));
  return putBack({ bus, events, now }, freed);
}

/** Puts jobs back on their queues. Returns how many that were. */
export async function putBack(
  { bus, events, now }: { bus: Bus; events: EventPublisher; now: number },
  freed: readonly Freed[],
): Promise<number> {
  const results = await publishJobs(
    bus,
    freed.map(({ publish }) => publish),
  );
  const done = await Promise.all(
    freed.map(async ({ job, publish, seq }, index) => {
      const result = results[index];
      if (!result?.ok) return 0;
      const at = result.duplicate ? undefined : result.seq;
      await events.publish({ kind: 'released', ...factsOf(publish.envelope, job.traceId, at), at: now });
      if (seq !== undefined) await deleteJobMessage(bus, seq);
      return 1;
    }),
  );
  return done.reduce<number>((sum, one) => sum + one, 0);
}

async function find(bus: Bus, job: Parked): Promise<Freed | undefined> {
  const stored = await findMessage(bus, {
    subject: parkedSubject(bus, { queue: job.queue, what: whatOf(job), id: job.id }),
  });
  return stored && freedOf(job, stored);
}

/** What a message in the parking place of a job is put back as; undefined: it is another's. */
export function freedOf(job: Pick<Parked, 'id' | 'traceId'>, stored: StoredJob): Freed | undefined {
  const { envelope, traceparent, link, arrival } = stored;
  if (envelope?.id !== job.id) return undefined;
  const publish = {
    envelope,
    traceparent,
    link,
    arrival,
    repeat: true,
    messageId: `${messageId(envelope)}.freed${stored.seq}`,
  };
  return { job, publish, seq: stored.seq };
}

/** What its parking place is called after. */
export function whatOf({
  what,
  task,
  key,
  rate,
}: Pick<Parked, 'what' | 'task' | 'key' | 'rate'>): ParkedWhat {
  if (what === 'key') return { what, hash: concurrencyHash(key ?? '') };
  if (what === 'rate') return { what, hash: concurrencyHash(rate ?? '') };
  return what === 'doubt' ? { what } : { what, task };
}

/**
 * Whoever empties a parking place tells history first. So a job that is still parked after history was read to its end
 * has lost its message, and gets a new one from its row.
 */
export async function rebuild(
  { bus, db, readToEndMs }: Pick<ReleaseParams, 'bus' | 'db' | 'readToEndMs'>,
  missing: readonly ParkedJob[],
): Promise<Freed[]> {
  await readToEnd({ bus, timeoutMs: readToEndMs });
  const freed: Freed[] = [];
  for (const job of missing) {
    const row = await getJob(db, job.id);
    if (row?.state !== 'parked' || row.order !== job.order) continue;
    const rebuilt = rebuildJob(row, await databaseTime(db));
    if (!rebuilt) continue;
    const { envelope, traceparent } = rebuilt;
    freed.push({
      job,
      publish: { envelope, traceparent, repeat: true, messageId: `${messageId(envelope)}.freed` },
    });
  }
  return freed;
}

/** Whether this may free a parked job: a worker came with its tasks, or the answer to a doubt is wanted again. */
export function freesParked(event: Event): boolean {
  return (event.kind === 'worker' && event.tasks !== undefined) || isDoubt(event);
}

/**
 * Whether it says that a job was parked because nobody answered. If that job was over, history does not take it as parked,
 * and its message waits for nobody.
 */
export function isDoubt(event: Event): boolean {
  return event.kind === 'parked' && event.what === 'doubt';
}
