import type { RecorderBench } from '../../../../test/support/recorder.ts';
import { type CarriedOut, type CarryOutParams, carryOutCancels } from './carry-out-cancels.ts';

/** Passes that a test makes one by one, and what they put. */
export interface CarryOutPasses {
  pass(): Promise<CarriedOut>;
  /** Ids that were marked as cancelled, in this order. */
  readonly put: readonly string[];
  readonly progress: { readonly told: Set<string> };
  /** From now on who does not answer has been silent for long. */
  forgetWorkers(): void;
}

/** Makes them, over the servers of a bench, for cancels of any age. */
export function carryOutPasses(
  { db, bus, events }: RecorderBench,
  bounds: Pick<CarryOutParams, 'limit' | 'heldWaitMs'> & Partial<Pick<CarryOutParams, 'maxTold'>>,
): CarryOutPasses {
  const put: string[] = [];
  const progress = { told: new Set<string>() };
  let within = 60_000;
  return {
    put,
    progress,
    pass: () =>
      carryOutCancels({
        db,
        bus,
        events,
        progress,
        afterMs: 0,
        readToEndMs: 5_000,
        ...bounds,
        cancelled: { put: async (id) => void put.push(id) },
        hearing: { within: () => within },
      }),
    forgetWorkers() {
      within = 0;
    },
  };
}
