import { claimStarts, type RateLimit } from '@jetbeat/core';
import { type Bus, changeSemaphore, queueSlots } from '@jetbeat/jetstream';

/** When jobs of one queue may begin, as leased from the rate that all workers share. */
export interface QueueRate {
  /** Takes a start that is due, Unix milliseconds; infinite where there is no rate, undefined when none is due. */
  take(): number | undefined;
  /** Whether a start may still be used. */
  isGood(start: number): boolean;
  /** A start that was taken has not been used: another job may have it while it is good. */
  giveBack(start: number): void;
  /** Leases the starts of jobs that wait. */
  lease(): void;
  /** How many jobs may wait for their starts. */
  readonly room: number;
  /** Forgets what was leased. */
  close(): void;
}

/** A start that was not used by then is lost: used later, it would come too close to the next ones. Milliseconds. Half of the time between two is as good. */
const USE_WITHIN_MS = 100;
/** So much of the rate waits here in advance, milliseconds. */
const AHEAD_MS = 200;
const RETRY_MS = 250;

/**
 * @param params.limit undefined while there is none: then every job may begin
 * @param params.onStart a start is due
 */
export function createQueueRate(params: {
  readonly bus: Bus;
  readonly queue: string;
  readonly limit: () => RateLimit | undefined;
  readonly now: () => number;
  /** How many jobs could begin if they were let. */
  readonly wanted: () => number;
  readonly onStart: () => void;
  readonly onError: (error: unknown) => void;
}): QueueRate {
  const { bus, queue, limit, now, wanted, onStart, onError } = params;
  /** Unix milliseconds, in order. */
  let starts: number[] = [];
  let leasing = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  /** Where they are far apart it may be late. */
  const within = ({ periodMs, limit }: RateLimit) => Math.max(USE_WITHIN_MS, periodMs / limit / 2);
  const isGood = (start: number) => {
    const rate = limit();
    return rate === undefined || start >= now() - within(rate);
  };
  const forgetLate = () => {
    while (starts[0] !== undefined && !isGood(starts[0])) starts.shift();
  };
  const ring = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        onStart();
        lease();
      },
      Math.max(1, ms),
    );
  };
  const lease = () => {
    const rate = limit();
    forgetLate();
    const count = wanted() - starts.length;
    if (!rate || leasing || closed || count <= 0) return;
    leasing = true;
    changeSemaphore<readonly number[]>(bus, {
      name: `${queueSlots(queue)}.rate`,
      decide(semaphore) {
        const { next, starts: found } = claimStarts(semaphore, { ...rate, count }, now());
        return { next, value: found };
      },
    }).then(
      ({ value }) => {
        leasing = false;
        if (closed) return;
        starts.push(...value);
        onStart();
        const [first] = starts;
        ring(first === undefined ? RETRY_MS : Math.min(RETRY_MS, first - now()));
      },
      (error: unknown) => {
        leasing = false;
        onError(error);
        if (!closed) ring(RETRY_MS);
      },
    );
  };
  return {
    take() {
      if (limit() === undefined) return Number.POSITIVE_INFINITY;
      forgetLate();
      const [first] = starts;
      if (first === undefined || first > now()) {
        if (first !== undefined) ring(first - now());
        return undefined;
      }
      return starts.shift();
    },
    isGood,
    giveBack(start) {
      if (closed || limit() === undefined || start === Number.POSITIVE_INFINITY || !isGood(start)) return;
      starts.push(start);
      starts.sort((one, other) => one - other);
    },
    lease,
    get room() {
      const rate = limit();
      return rate
        ? Math.max(1, Math.ceil((rate.limit * AHEAD_MS) / rate.periodMs))
        : Number.POSITIVE_INFINITY;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      starts = [];
    },
  };
}
