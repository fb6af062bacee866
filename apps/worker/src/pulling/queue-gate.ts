import { isPurged, type Reason } from '@jetbeat/core';
import type { QueueSettingsWatch } from '@jetbeat/jetstream';
import type { LetGo } from '../ends/let-go.ts';
import type { Settle } from '../ends/settle.ts';
import type { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';
import type { Ready } from '../running/ready.ts';

/** Keeps jobs of paused queues from beginning, those that go with a purge, and those of queues that are served here no more. */
export interface QueueGate {
  /** Whether the job may not begin; then it was given back, or ends as cancelled, and is held here no more. */
  stops(held: Held): boolean;
  /** How many more jobs of a queue may be pulled. */
  roomOf(queue: string): number;
  /** Other queues are served: what waits of the rest is given back. Returns how many. */
  look(): number;
  close(): void;
}

/**
 * How long what is given back is kept from those whose pulls are still out, milliseconds; they would only give it back too.
 * So late it may come after the queue goes on.
 */
const AGAIN_MS = 1_000;
const PURGED: Reason = { code: 'purged', text: 'its queue was purged' };

/**
 * Makes the gate. What waits here when a queue is paused or purged, or served here no more, is not kept until a slot is free.
 * @param params.serves whether jobs of a queue may run here
 * @param params.onOpen a queue may give jobs again
 */
export function createQueueGate(params: {
  queues: QueueSettingsWatch;
  serves: (queue: string) => boolean;
  jobs: Pick<HeldJobs, 'begin' | 'end'>;
  ready: () => Pick<Ready, 'waiting' | 'drop'>;
  letGo: Pick<LetGo, 'refuse' | 'finish' | 'track'>;
  settle: Pick<Settle, 'end'>;
  onOpen: () => void;
}): QueueGate {
  const { queues, serves, jobs, ready, letGo, settle, onOpen } = params;
  const purge = async (held: Held) => {
    jobs.begin(held);
    jobs.end(held);
    await settle.end(held, 'cancelled', PURGED);
    letGo.finish(held, true);
  };
  /** What becomes of it instead of a run. */
  const verdict = ({ job, deliveries }: Held): 'purge' | 'refuse' | 'leave' | undefined => {
    const settings = queues.of(job.queue);
    if (settings?.purge && deliveries.every((delivery) => isPurged(settings, delivery.arrival ?? delivery)))
      return 'purge';
    if (settings && queues.isPaused(job.queue)) return 'refuse';
    return serves(job.queue) ? undefined : 'leave';
  };
  const stops = (held: Held): boolean => {
    const what = verdict(held);
    if (what === 'purge') letGo.track(held, purge(held));
    else if (what === 'refuse') letGo.refuse(held, AGAIN_MS);
    else if (what === 'leave') letGo.refuse(held);
    return what !== undefined;
  };
  const look = (queue?: string): number => {
    let stopped = 0;
    for (const held of ready().waiting()) {
      if (queue !== undefined && held.job.queue !== queue) continue;
      if (verdict(held) && ready().drop(held) && stops(held)) stopped += 1;
    }
    return stopped;
  };
  const off = queues.onChange((queue) => {
    look(queue);
    if (!queues.isPaused(queue)) onOpen();
  });
  return {
    stops,
    look: () => look(),
    roomOf: (queue) => (queues.isPaused(queue) ? 0 : Number.POSITIVE_INFINITY),
    close: off,
  };
}
