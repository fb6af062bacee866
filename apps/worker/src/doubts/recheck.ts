import type { Delivery, Lane } from '@jetbeat/jetstream';
import { untilDone } from '../ends/until-done.ts';
import type { SettledMarks } from './settled-marks.ts';

/** Looks after what JetStream may have forgotten. */
export interface Recheck {
  /** To be told of every delivery before it is decided on. */
  see(delivery: Pick<Delivery, 'queue' | 'lane' | 'consumerSeq'>): void;
  /** Streams or consumers may be missing, or new, or behind what was settled. */
  again(): void;
}

/**
 * A server that was killed forgets acknowledgements; a consumer that was removed and made again forgets even who runs
 * what, and hands it out as if new. So what is missing is made, and everything stored until then is suspect.
 * @param params.topology makes the streams and consumers that are missing
 * @param params.onForgotten called first: JetStream may have forgotten who holds what
 */
export function createRecheck(params: {
  marks: SettledMarks;
  topology: () => Promise<void>;
  onForgotten: () => void;
  signal: AbortSignal;
  onRetry: (error: unknown) => void;
}): Recheck {
  const { marks, topology, onForgotten, signal, onRetry } = params;
  const seen = new Map<string, Map<Lane, number>>();
  let wanted = false;
  let underWay = false;
  const run = async () => {
    underWay = true;
    while (wanted && !signal.aborted) {
      wanted = false;
      await untilDone({ act: topology, signal, onRetry });
      await marks.distrust(signal);
      if (wanted) marks.suspectAll();
    }
    underWay = false;
  };
  const again = () => {
    onForgotten();
    marks.suspectAll();
    wanted = true;
    // Rejects only when the worker has stopped.
    if (!underWay) run().catch(() => undefined);
  };
  return {
    again,
    see({ queue, lane, consumerSeq }) {
      let lanes = seen.get(queue);
      if (!lanes) {
        lanes = new Map();
        seen.set(queue, lanes);
      }
      // A consumer counts what it hands out; one that counts lower than before is new, or has lost its state.
      if (consumerSeq <= (lanes.get(lane) ?? 0)) again();
      lanes.set(lane, consumerSeq);
    },
  };
}
