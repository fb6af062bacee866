import {
  deleteJobMessage,
  findMessage,
  queueMessages,
  type StoredJob,
  timerSubject,
} from '@jetbeat/jetstream';
import { getJob, timersOfQueue } from '@jetbeat/postgres';
import { inGroups } from '../reconciling/look-up.ts';
import { type PurgeStep, type PurgeStepParams, purgedEvent } from './purge-step.ts';

/** Jobs in one step. */
const LIMIT = 500;
/** Jobs under way at the same time. */
const GROUP = 16;

/** Purges a page of what is parked. What was parked after the purge began may have been in the queue before. */
export async function purgeParked(params: PurgeStepParams): Promise<PurgeStep> {
  const { bus, queue, purge } = params;
  const from = Number(params.from);
  const { messages, next } = await queueMessages(bus, { place: 'parked', queue, from });
  const before = messages.filter(({ seq, arrival }) => Math.min(seq, arrival?.seq ?? seq) <= purge.upTo);
  const gone = await inGroups(before, GROUP, ({ seq, envelope }) =>
    envelope ? takeOut(params, envelope.id, () => findMessage(bus, { seq })) : deleteJobMessage(bus, seq),
  );
  const removed = gone.filter(Boolean).length;
  return { removed, ...(next === undefined ? {} : { next: String(next) }) };
}

/** Purges some of what waits for its time. The messages do not tell their queue, so history is asked for them. */
export async function purgeTimers(params: PurgeStepParams): Promise<PurgeStep> {
  const { db, bus, queue, purge, from } = params;
  const after = from === '' ? {} : { after: from };
  const ids = await timersOfQueue(db, { queue, before: purge.at, limit: LIMIT, ...after });
  const gone = await inGroups(ids, GROUP, (id) =>
    takeOut(params, id, () => findMessage(bus, { subject: timerSubject(bus, id) })),
  );
  const removed = gone.filter(Boolean).length;
  const last = ids.at(-1);
  return { removed, ...(ids.length < LIMIT || last === undefined ? {} : { next: last }) };
}

/**
 * Takes out one job that waits without a consumer. What is there is marked as cancelled: should it go to its lane
 * meanwhile, it is not begun there. Then it is looked for again, and what went on before the mark was known keeps none.
 */
async function takeOut(
  params: PurgeStepParams,
  id: string,
  find: () => Promise<StoredJob | undefined>,
): Promise<boolean> {
  const { bus, events, cancelled, purge, clock } = params;
  if ((await find())?.envelope?.id !== id) return false;
  // Somebody else wants it cancelled too, and the mark is theirs.
  const marked = cancelled.has(id);
  await cancelled.put(id, 'purged');
  const found = await find();
  if (found?.envelope?.id !== id) {
    if (!marked) await unmark(params, id);
    return false;
  }
  const { envelope, traceparent, seq } = found;
  await events.publish(purgedEvent({ envelope, traceparent, seq, purge, now: clock() }));
  return deleteJobMessage(bus, seq);
}

/** Takes the mark back, unless it is meanwhile that of somebody else, who has noted before he put it that the job is cancelled or moved. */
async function unmark({ db, cancelled }: PurgeStepParams, id: string): Promise<void> {
  await cancelled.remove(id);
  const job = await getJob(db, id);
  if (job?.cancelRequestedAt !== undefined) await cancelled.put(id, job.cancelReason);
  if (job?.movedBelow !== undefined) await cancelled.move(id, job.movedBelow);
}
