import { type Bus, jobsStreamState, loadSettled, storedBefore } from '@jetbeat/jetstream';
import { untilDone } from '../ends/until-done.ts';

/** Up to which sequence a queue's messages may have been settled before this worker saw them. */
export interface SettledMarks {
  upTo(queue: string): number;
  /** The same for more queues, before the first pull of them. */
  load(queues: readonly string[]): Promise<void>;
  /**
   * How long ago a server came back that can have forgotten what it had done, in milliseconds; infinite when none has: a worker that
   * (re)connects to one that never died has nothing to ask.
   */
  restartedFor(): number;
  /** Whether everything is suspect, for now. */
  readonly distrusting: boolean;
  /** A server that may have forgotten its last acknowledgements is back: everything is suspect until `distrust`. */
  suspectAll(): void;
  /** From here on only what was stored before now is suspect. */
  distrust(signal: AbortSignal): Promise<void>;
}

/**
 * Loads what is known; before the first pull, since a worker that starts knows nothing of what was settled. The recorder's
 * marks alone would not do: it may have died together with the server, before it told of the last ones.
 */
export async function loadMarks(bus: Bus, queues: readonly string[]): Promise<SettledMarks> {
  let floor = 0;
  /** By the monotonic clock. */
  let restartedAt = Number.NEGATIVE_INFINITY;
  const suspectAll = () => {
    floor = Number.POSITIVE_INFINITY;
    restartedAt = performance.now();
  };
  // From here on, also while this loads: what was read of a server that has died since says nothing of the next.
  bus.onReconnect(({ serverChanged }) => {
    if (serverChanged) suspectAll();
  });
  const marks = await loadSettled(bus, queues);
  const before = await storedBefore(bus);
  floor = Math.max(floor, before.upTo);
  // Of a server that had nothing stored when it was first seen nothing can have been forgotten.
  if (before.upTo > 0) restartedAt = Math.max(restartedAt, performance.now() - before.forMs);
  return {
    upTo: (queue) => Math.max(floor, marks.get(queue) ?? 0),
    async load(more) {
      for (const [queue, seq] of await loadSettled(bus, more))
        marks.set(queue, Math.max(seq, marks.get(queue) ?? 0));
    },
    restartedFor: () => performance.now() - restartedAt,
    suspectAll,
    get distrusting() {
      return floor === Number.POSITIVE_INFINITY;
    },
    async distrust(signal) {
      // Until it is known everything stays suspect: that costs questions and loses nothing.
      const { lastSeq } = await untilDone({
        act: () => jobsStreamState(bus),
        signal,
        onRetry: () => undefined,
      });
      // What they said is below the floor now, or of a stream that is gone.
      marks.clear();
      floor = lastSeq;
    },
  };
}
