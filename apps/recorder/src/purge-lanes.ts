import { askHeld, deleteJobMessage, queueMessages } from '@jetbeat/jetstream';
import { inGroups } from './look-up.ts';
import { type PurgeStep, type PurgeStepParams, purgedEvent } from './purge-step.ts';

/** Removals under way at the same time. */
const GROUP = 32;

/**
 * Purges a page of what is on the lanes of a queue. What a worker holds is left to it: either it has begun, or the worker
 * ends it itself, since it knows the mark. So nothing is done while one of them does not answer.
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
  return { removed, ...(next === undefined ? {} : { next: String(next) }) };
}
