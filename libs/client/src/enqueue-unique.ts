import { type JetbeatError, ownTrace, type UniqueAsk } from '@jetbeat/core';
import {
  clearReplaced,
  giveUpKey,
  PublishUnconfirmedError,
  type TakenKey,
  takeKey,
} from '@jetbeat/jetstream';
import { EnqueueError } from './errors.ts';
import type { EnqueuedJob, Prepared } from './prepare.ts';
import { type Published, publish, type Way } from './publish.ts';

/**
 * Enqueues one job that has a unique key: first the key, then the job. Whoever dies in between leaves a key that the
 * recorder frees; whoever is slower than that finds at its first run that the key is another job's.
 */
export async function publishUnique(way: Way, prepared: Prepared, ask: UniqueAsk): Promise<Published> {
  const { job, publish: sent } = prepared;
  const { envelope } = sent;
  let taken: TakenKey;
  try {
    taken = await takeKey(way.bus, { ask, job: envelope, now: Date.now() });
  } catch (error) {
    return { error: new EnqueueError(job, error as JetbeatError) };
  }
  if (taken.answer === 'existing') return { job: existing(job, taken.holder.id), told: Promise.resolve() };
  const [result] = await publish(way, [inTime(prepared, taken.holder.runAt)]);
  if (!result?.job) {
    const error = result?.error;
    if (error instanceof EnqueueError && error.maybeStored) return { error };
    // Else nobody could use the key until the recorder had found that it is nobody's.
    await giveUpKey(way.bus, envelope).catch(() => {});
    return { error: error ?? new EnqueueError(job, new PublishUnconfirmedError('publish answered nothing')) };
  }
  // The job is stored whatever becomes of this, and then a worker or the recorder clears away what it replaces.
  if (taken.replaces.length > 0)
    await clearReplaced(way.bus, { publish: way.accepted.end }, { job: envelope, now: Date.now() }).catch(
      () => {},
    );
  const old = taken.replaces.at(-1);
  return old && taken.answer === 'replaced'
    ? { job: { ...result.job, replaced: old.id }, told: result.told }
    : result;
}

/** A debounced job waits no longer than its `maxWait` allows. */
function inTime(prepared: Prepared, runAt: number): Prepared {
  const { text: _text, ...sent } = prepared.publish;
  const { envelope } = sent;
  if (envelope.runAt === runAt) return prepared;
  return { ...prepared, publish: { ...sent, envelope: { ...envelope, runAt }, at: runAt } };
}

function existing(asked: EnqueuedJob, id: string): EnqueuedJob {
  return { ...asked, id, traceId: ownTrace(id).traceId, created: false };
}
