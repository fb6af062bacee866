import type { Bus, PassedOver as Passed } from '@jetbeat/jetstream';

/** Up to where jobs were passed over that are parked for a key, and belong to queues that are paused, or stand. */
export interface PassedOver {
  of(hash: string): {
    readonly known: Passed | undefined;
    /** So far they were passed over by who began there; nothing where all was forgotten meanwhile. */
    note(passed: Passed | undefined): void;
  };
  /** The jobs may be at other sequences now. */
  forget(): void;
}

const MOST_KEYS = 10_000;

/** Nothing at first, and after each server that is another one: a stream that lost its tail, or all, counts on from an earlier place. */
export function createPassedOver(bus: Pick<Bus, 'onReconnect'>): PassedOver {
  let all = new Map<string, Passed>();
  const forget = () => {
    all = new Map();
  };
  bus.onReconnect(({ serverChanged }) => {
    if (serverChanged) forget();
  });
  return {
    of(hash) {
      if (all.size > MOST_KEYS) forget();
      const known = all;
      return {
        known: known.get(hash),
        note(passed) {
          // What was forgotten is another map than the one of now.
          if (passed) known.set(hash, passed);
          else known.delete(hash);
        },
      };
    },
    forget,
  };
}
