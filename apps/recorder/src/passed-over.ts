/** Up to where jobs were passed over that are parked for a key, and belong to queues that are paused. */
export interface PassedOver {
  /** These queues are paused now: where others were before, all is forgotten. */
  see(paused: ReadonlySet<string>): void;
  /** Before this sequence nobody need look. */
  of(hash: string): number | undefined;
  note(hash: string, from: number): void;
}

const MOST_KEYS = 10_000;

/** Nothing at first. */
export function createPassedOver(): PassedOver {
  const passed = new Map<string, number>();
  let before = '';
  return {
    see(paused) {
      const now = [...paused].sort().join(' ');
      if (now !== before || passed.size > MOST_KEYS) passed.clear();
      before = now;
    },
    of: (hash) => passed.get(hash),
    note(hash, from) {
      if (from > 1) passed.set(hash, from);
      else passed.delete(hash);
    },
  };
}
