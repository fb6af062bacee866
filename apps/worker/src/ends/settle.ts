import {
  decide,
  type EndedEvent,
  type JobEnvelope,
  type Next,
  type Policy,
  type Reason,
  type StoredError,
  whenCancelled,
} from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  noteWaiting,
  publishDead,
  publishJobs,
  releaseKey,
  removeParked,
  removeTimer,
  type WantedEndings,
} from '@jetbeat/jetstream';
import type { Execution } from '@jetbeat/task';
import type { Held } from '../held.ts';
import type { CallBack } from './call-back.ts';
import type { OwnRetries } from './own-retries.ts';
import { settledEvent } from './settled-event.ts';
import { untilDone } from './until-done.ts';

/** What settling needs of the worker. */
export interface SettleParams {
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly worker: string;
  readonly own: OwnRetries;
  /** Makes the jobs that follow an end. */
  readonly callBack: CallBack;
  /** Tells those who wait for an end that is stored. */
  readonly wanted: Pick<WantedEndings, 'any' | 'tell'>;
  readonly now: () => number;
  readonly random: () => number;
  /** Aborted when the worker stops; what is not settled then is delivered again. */
  readonly stopped: AbortSignal;
  readonly onRetry: (error: unknown, what: string) => void;
  /** An attempt's outcome is stored. */
  readonly onSettled: (held: Held, execution: Execution, next: Next) => void;
}

/** Brings attempts to their end, in the order that makes every step repeatable. */
export interface Settle {
  /** Stores what an attempt came to, publishes what follows, acknowledges. */
  attempt(held: Held, execution: Execution, policy: Policy): Promise<void>;
  /** Ends a job without an attempt. */
  end(held: Held, state: EndedEvent['state'], reason: Reason): Promise<void>;
  /** The step was settled before: repeats what follows that run, and acknowledges. */
  again(held: Held, known: { next?: Next; run?: number }): Promise<void>;
}

/**
 * The order is: leftovers of an earlier lineage away, the key of what waits again noted, event stored, follow-up published,
 * callbacks published, message acknowledged. A crash between any two makes the server deliver the message again; the recorder
 * then knows the event and says what follows, and the callbacks it has made up for itself.
 */
export function createSettle(params: SettleParams): Settle {
  const { bus, events, worker, own, callBack, wanted, now, random, stopped, onRetry } = params;
  const repeat = <T>(what: string, act: () => Promise<T>) =>
    untilDone({ act, signal: stopped, onRetry: (error) => onRetry(error, what) });

  /** Two lineages of one job must not live: what an earlier delivery may have left (`traced`) goes first. */
  const clear = async ({ job }: Held) => {
    await Promise.all([
      repeat('remove the timer', () => removeTimer(bus, job.id)),
      repeat('remove the parking place', () => removeParked(bus, { id: job.id, queue: job.queue })),
    ]);
  };

  const follow = async (held: Held, next: Next, error: StoredError | undefined, again: boolean) => {
    if (next.state === 'retrying') {
      const { attempt, losses } = next;
      const position = { attempt, run: held.job.run + 1 };
      const envelope: JobEnvelope = { ...held.job, ...position, ...(losses === undefined ? {} : { losses }) };
      const later = next.runAt > now() ? { at: next.runAt } : {};
      await repeat('publish the retry', async () => {
        const [result] = await publishJobs(bus, [
          { envelope, ...held.carried, ...later, ...(again ? { repeat: true } : {}) },
        ]);
        if (result && !result.ok) throw result.error;
        if (result && !again && isSoleMessage(held) && !result.duplicate && !result.delayed)
          own.add({ seq: result.seq, id: envelope.id, since: held.since });
      });
    } else if (next.state === 'dead') {
      await bury(held, next.reason, error);
    }
  };

  const bury = (held: Held, reason: Reason, error?: StoredError) =>
    repeat('publish the dead letter', () =>
      publishDead(bus, {
        reason,
        traceparent: held.carried.traceparent,
        from: { envelope: held.job },
        ...(error === undefined ? {} : { error }),
      }),
    );

  /** It is over, and that is stored: another job may have its key. */
  const release = ({ job }: Held) => repeat('free the unique key', () => releaseKey(bus, job));

  /** Before history knows of it: whoever calls in between is the newer one. */
  const waitAgain = async ({ job }: Held, { attempt }: Extract<Next, { state: 'retrying' }>) => {
    if (job.unique?.mode !== 'last') return;
    await repeat('note that it waits again', () => noteWaiting(bus, { ...job, attempt, run: job.run + 1 }));
  };

  /** Whoever waits for the end need not wait for history, which says the same later. */
  const tell = (held: Held, end: Next | EndedEvent, execution?: Execution) => {
    if (!wanted.any || end.state === 'retrying') return;
    const { id, task } = held.job;
    const reason = 'reason' in end ? end.reason : undefined;
    wanted.tell(id, {
      state: end.state,
      task,
      result: execution?.result,
      error: execution?.error,
      reason,
    });
  };

  const acknowledge = (held: Held) => {
    for (const delivery of held.deliveries) delivery.ack();
  };

  return {
    async attempt(held, execution, policy) {
      const { outcome, error, kinds, delay, until } = execution;
      const { attempt, run, expiresAt, losses } = held.job;
      const finishedAt = now();
      const decided = decide({
        outcome,
        attempt,
        run,
        retry: policy.retry,
        now: finishedAt,
        random: random(),
        error,
        kinds,
        delay,
        until,
        expiresAt,
        losses,
      });
      const next = held.cancelled === undefined ? decided : whenCancelled(decided, held.cancelled);
      if (held.traced) await clear(held);
      if (next.state === 'retrying') await waitAgain(held, next);
      await events.publish(settledEvent({ held, worker, execution, finishedAt, next }));
      held.trace?.decided(next);
      params.onSettled(held, execution, next);
      tell(held, next, execution);
      if (next.state === 'retrying' || next.state === 'dead') await follow(held, next, error, false);
      if (next.state !== 'retrying' && callBack.has(held, next.state)) {
        const reason = 'reason' in next ? next.reason : undefined;
        await callBack.make(held, { state: next.state, reason, finishedAt, error, result: execution.result });
      }
      if (held.job.unique !== undefined && next.state !== 'retrying') await release(held);
      acknowledge(held);
    },
    async end(held, state, reason) {
      if (held.traced) await clear(held);
      // Before the event: history knows of nothing that follows an end, so a repeat would not make up for it.
      if (state === 'dead') await bury(held, reason);
      const at = now();
      const ended: EndedEvent = { kind: 'ended', ...held.facts(), state, reason, at };
      await events.publish(ended);
      // Of a dead one history may know an error.
      if (state !== 'dead') tell(held, ended);
      if (callBack.has(held, state)) await callBack.make(held, { state, reason, finishedAt: at });
      if (held.job.unique !== undefined) await release(held);
      acknowledge(held);
    },
    async again(held, { next, run }) {
      if (run !== undefined) held.job = { ...held.job, run };
      // Only an ended job may lose its timer here: otherwise the timer is the very thing that follows.
      if (held.traced && next && next.state !== 'retrying') await clear(held);
      if (next) await follow(held, next, undefined, true);
      if (held.job.unique !== undefined && next && next.state !== 'retrying') await release(held);
      acknowledge(held);
    },
  };
}

/** Nothing speaks for another message of this step, or of one before it. */
function isSoleMessage({ suspect, traced, job }: Held): boolean {
  return !suspect && !traced && job.parks === 0;
}
