import type { Bus } from '@jetbeat/jetstream';

/** Up to where jobs were passed over that are parked for a key, and belong to queues that are paused. */
export interface PassedOver {
  /** These queues are paused now: where one of before goes on, all is forgotten. */
  see(paused: ReadonlySet<string>): void;
  of(hash: string): {
    /** Before this sequence nobody need look. */
    readonly from: number | undefined;
    /** So far they were passed over by who began there; nothing where all was forgotten meanwhile. */
    note(from: number): void;
  };
  /** The jobs may be at other sequences now. */
  forget(): void;
}

const MOST_KEYS = 10_000;

/** Nothing at first, and after each server that is another one: a stream that lost its tail, or all, counts on from an earlier place. */
export function createPassedOver(bus: Pick<Bus, 'onReconnect'>): PassedOver {
  let passed = new Map<string, number>();
  let before: ReadonlySet<string> = new Set();
  const forget = () => {
    passed = new Map();
  };
  bus.onReconnect(({ serverChanged }) => {
    if (serverChanged) forget();
  });
  return {
    see(paused) {
      const goesOn = [...before].some((queue) => !paused.has(queue));
      if (goesOn || passed.size > MOST_KEYS) forget();
      before = new Set(paused);
    },
    of(hash) {
      const known = passed;
      return {
        from: known.get(hash),
        note(from) {
          // What was forgotten is another map than the one of now.
          if (from > 1) known.set(hash, from);
          else known.delete(hash);
        },
      };
    },
    forget,
  };
}
