import type { RateLimit } from '@jetbeat/core';
import type { Held } from '../held.ts';
import type { LimitedQueue as Queue } from './limited-queue.ts';

/** Gives jobs of limited queues their slots and starts: both in one, so that whoever waits for either holds neither. */
export interface QueueClaims {
  /** Whether it has not all that it needs: a slot where there is a limit, a start that may still be used where there is a rate. */
  lacks(queue: Queue, held: Held): boolean;
  /** Whether it has a start that may be used no more. */
  isLate(queue: Queue, held: Held): boolean;
  /** Resolves with true when it has all, with false when it is left to others. */
  claim(queue: Queue, held: Held): Promise<boolean>;
  /** Gives what is there to those that wait. */
  grant(queue: Queue): void;
  /** It has a slot from now on. */
  use(queue: Queue, held: Held): void;
  /** Takes all that it has; a start that it has not used is for another one. */
  release(queue: Queue | undefined, held: Held): void;
}

/**
 * Composes it.
 * @param params.open slots of a queue under which jobs may begin
 * @param params.free how many handlers could begin at once
 */
export function createQueueClaims(params: {
  readonly isLimited: (queue: string) => boolean;
  readonly rateOf: (queue: string) => RateLimit | undefined;
  readonly open: (queue: Queue) => number;
  readonly free: () => number;
}): QueueClaims {
  const { isLimited, rateOf, open, free } = params;
  const use = (queue: Queue, held: Held) => {
    queue.used.add(held);
    held.queueSlot = true;
  };
  const release = (queue: Queue | undefined, held: Held) => {
    const { queueStart } = held;
    held.queueSlot = false;
    held.queueStart = undefined;
    queue?.used.delete(held);
    if (queueStart !== undefined) queue?.rate.giveBack(queueStart);
  };
  const lacks = (queue: Queue, { queueSlot, queueStart }: Held) => {
    if (isLimited(queue.name) && !queueSlot) return true;
    if (rateOf(queue.name) === undefined) return false;
    return queueStart === undefined || !queue.rate.isGood(queueStart);
  };
  const isLate = (queue: Queue, { queueStart }: Held) =>
    queueStart !== undefined && rateOf(queue.name) !== undefined && !queue.rate.isGood(queueStart);
  /** A start that is due, where there is a slot for it. */
  const next = (queue: Queue): number | undefined => {
    if (open(queue) <= 0 || free() <= 0) return undefined;
    const start = queue.rate.take();
    if (start === undefined) queue.rate.lease();
    return start;
  };
  const grant = (queue: Queue) =>
    queue.waiting.grant(
      () => next(queue),
      (held, start) => {
        if (isLimited(queue.name)) use(queue, held);
        held.queueStart = start;
      },
    );
  return {
    lacks,
    isLate,
    grant,
    use,
    release,
    claim(queue, held) {
      if (!lacks(queue, held)) return Promise.resolve(true);
      release(queue, held);
      const granted = queue.waiting.add(held);
      grant(queue);
      return granted;
    },
  };
}
