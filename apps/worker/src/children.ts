import { randomBytes } from 'node:crypto';
import { formatTraceparent, type JobEnvelope, sendSpan, traceOf } from '@jetbeat/core';
import { type Bus, type EventPublisher, publishJobs } from '@jetbeat/jetstream';
import type { Tracing } from '@jetbeat/runtime';
import type { EnqueueChild } from '@jetbeat/task';
import type { Held } from './held.ts';

/**
 * Publishes what a handler enqueues, in its parent's trace. The child's id is made from the parent's id and the call, so
 * a retried parent publishes the same child again: such a publish says that it may be a repeat.
 */
export function enqueueFor(params: {
  bus: Bus;
  events: EventPublisher;
  held: Held;
  tracing?: Tracing | undefined;
}): EnqueueChild {
  const { bus, events, held, tracing } = params;
  return async ({ envelope, at }: { envelope: JobEnvelope; at?: number }) => {
    const parent = tracing?.active() ?? traceOf({ id: held.job.id, traceparent: held.traceparent });
    const place = { ...parent, spanId: randomBytes(8).toString('hex') };
    const traceparent = formatTraceparent(place);
    const startedAt = tracing?.now() ?? 0;
    const [result] = await publishJobs(bus, [
      {
        envelope,
        traceparent,
        ...(at === undefined ? {} : { at }),
        ...(held.traced ? { repeat: true } : {}),
      },
    ]);
    if (tracing && parent.sampled) {
      const error = result?.ok ? undefined : result?.error.message;
      tracing.emit({ text: sendSpan(envelope), place, parent, startedAt, endedAt: tracing.now(), error });
    }
    if (!result) throw new Error('publishJobs answered nothing');
    if (!result.ok) throw result.error;
    await events.publish({ kind: 'accepted', envelope, traceparent, seq: result.seq });
  };
}
