import { type Bus, jobsStreamState, loadSettled } from '@jetbeat/jetstream';
import { untilDone } from './until-done.ts';

/** Up to which sequence a queue's messages may have been settled before this worker saw them. */
export interface SettledMarks {
  upTo(queue: string): number;
  /** A server that may have forgotten its last acknowledgements is back: everything is suspect until `distrust`. */
  suspectAll(): void;
  /** From here on only what was stored before now is suspect. */
  distrust(signal: AbortSignal): Promise<void>;
}

/** Loads the recorder's marks; before the first pull, since a worker that starts knows nothing of what was settled. */
export async function loadMarks(bus: Bus, queues: readonly string[]): Promise<SettledMarks> {
  const marks = await loadSettled(bus, queues);
  let floor = 0;
  return {
    upTo: (queue) => Math.max(floor, marks.get(queue) ?? 0),
    suspectAll() {
      floor = Number.POSITIVE_INFINITY;
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
