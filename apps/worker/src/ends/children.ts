import { randomBytes } from 'node:crypto';
import { type Call, formatTraceparent, type JobEnvelope, sendSpan, traceOf } from '@jetbeat/core';
import {
  type Bus,
  clearReplaced,
  type EventPublisher,
  giveUpKey,
  PublishUnconfirmedError,
  publishJobs,
  takeKey,
} from '@jetbeat/jetstream';
import type { Tracing } from '@jetbeat/runtime';
import type { EnqueueChild } from '@jetbeat/task';
import type { Held } from '../held.ts';

/** What publishing children needs. */
interface ChildParams {
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly held: Held;
  readonly tracing?: Tracing | undefined;
}

/**
 * Publishes what a handler enqueues, in its parent's trace. The child's id is made from the parent's id and the call, so
 * a retried parent publishes the same child again: such a publish says that it may be a repeat.
 */
export function enqueueFor(params: ChildParams): EnqueueChild {
  return async (call) => {
    const { envelope, unique } = call;
    if (unique) return storeUnique(params, call, unique);
    await store(params, call);
    return { id: envelope.id, created: true };
  };
}

/** First the key, then the job; a child that has its key already, from an earlier run of its parent, is published again. */
async function storeUnique(
  params: ChildParams,
  call: Call,
  ask: NonNullable<Call['unique']>,
): ReturnType<EnqueueChild> {
  const { bus, events } = params;
  const { envelope: job } = call;
  const { answer, holder, replaces } = await takeKey(bus, { ask, job, now: Date.now() });
  if (answer === 'existing') return { id: holder.id, created: false };
  try {
    // A debounced job waits no longer than its `maxWait` allows.
    const { runAt } = holder;
    const moved = runAt === job.runAt ? call : { envelope: { ...job, runAt }, at: runAt };
    await store(params, moved);
  } catch (error) {
    if (!(error instanceof PublishUnconfirmedError)) await giveUpKey(bus, job).catch(() => {});
    throw error;
  }
  // Where this fails, the worker that runs it does it, or the recorder.
  if (replaces.length > 0) await clearReplaced(bus, events, { job, now: Date.now() }).catch(() => {});
  return { id: job.id, created: true };
}

async function store({ bus, events, held, tracing }: ChildParams, { envelope, at }: Stored): Promise<void> {
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
}

interface Stored {
  readonly envelope: JobEnvelope;
  readonly at?: number;
}
