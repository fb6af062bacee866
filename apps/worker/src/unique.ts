import type { Reason } from '@jetbeat/core';
import { type Bus, claimKey, type EventPublisher } from '@jetbeat/jetstream';
import { untilDone } from './ends/until-done.ts';
import type { Held } from './held.ts';

/** How long a job is held back while it is not certain whether another one takes its place, milliseconds. */
const AGAIN_MS = 1_000;

/** Asks for the unique keys of jobs that have one. */
export interface UniqueClaims {
  /**
   * Asks, right before a run begins, whether the job still has its key. Undefined: it may run; `wait`: ask again in a moment;
   * else why it must not run any more. Rejects only when the worker has stopped.
   */
  claim(held: Held): Promise<'wait' | Reason | undefined>;
  /** Gives a job back for a moment; what was granted is told of before. */
  holdBack(held: Held): Promise<void>;
}

/** The note of the key decides which of two jobs runs (docs/decisions/unique.md). */
export function createUniqueClaims(params: {
  bus: Bus;
  events: EventPublisher;
  turnBack: (held: Held) => Promise<void>;
  now: () => number;
  stopped: AbortSignal;
  onRetry: (error: unknown, what: string) => void;
}): UniqueClaims {
  const { bus, events, now, stopped, onRetry } = params;
  const repeat = <T>(what: string, act: () => Promise<T>) =>
    untilDone({ act, signal: stopped, onRetry: (error) => onRetry(error, what) });
  return {
    async claim({ job }) {
      const claimed = await repeat('ask for the unique key', () =>
        claimKey(bus, events, { job, now: now() }),
      );
      if (claimed.may === 'wait') return 'wait';
      if (claimed.may === 'run') return undefined;
      return { code: 'replaced', text: claimed.why };
    },
    async holdBack(held) {
      await params.turnBack(held);
      for (const delivery of held.deliveries) delivery.nak(AGAIN_MS);
    },
  };
}
