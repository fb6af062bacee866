import { askHeld, deleteJobMessage, queueMessages } from '@jetbeat/jetstream';
import { inGroups } from '../reconciling/look-up.ts';
import { type PurgeStep, type PurgeStepParams, purgedEvent } from './purge-step.ts';

/** Removals under way at the same time. */
const GROUP = 32;

/**
 * Purges a page of what is on the lanes of a queue. What a worker holds is left to it: either it has begun, or the worker
 * ends it itself, since it knows the mark. So nothing is done while one of them does not answer; and it goes on only when none
 * holds what has not begun, since a worker that does not know the mark yet may be about to park that.
 */
export async function purgeLanes(params: PurgeStepParams): Promise<PurgeStep> {
  const { bus, events, queue, purge, workers, heldWaitMs, clock } = params;
  const from = Number(params.from);
  const { messages, next } = await queueMessages(bus, { place: 'lanes', queue, from, upTo: purge.upTo });
  const ids = [...new Set(messages.flatMap(({ envelope }) => envelope?.id ?? []))];
  const { held, answered } = await askHeld(bus, {
    ids,
    expect: workers,
    timeoutMs: heldWaitMs,
    cancel: false,
  });
  if (workers.some((worker) => !answered.has(worker))) return { removed: 0, again: true };
  const free = messages.filter(({ envelope }) => !envelope || !held.has(envelope.id));
  const now = clock();
  await Promise.all(
    free.flatMap(({ envelope, traceparent, seq }) =>
      envelope ? [events.publish(purgedEvent({ envelope, traceparent, seq, purge, now }))] : [],
    ),
  );
  const gone = await inGroups(free, GROUP, ({ seq }) => deleteJobMessage(bus, seq));
  const removed = gone.filter(Boolean).length;
  const open = messages.find(({ envelope }) => envelope && held.get(envelope.id)?.begun === false)?.seq;
  if (open !== undefined) return removed > 0 ? { removed, next: String(open) } : { removed, again: true };
  return { removed, ...(next === undefined ? {} : { next: String(next) }) };
}
