/** How many may come in a time: `limit` in each period, and `burst` at once after a pause. */
export interface BucketRate {
  readonly limit: number;
  /** Milliseconds. */
  readonly periodMs: number;
  readonly burst: number;
}

/** What one take came to. */
export interface Taken {
  readonly allowed: boolean;
  /** How many more may come at once now. */
  readonly remaining: number;
  /** Milliseconds until one more may come; 0: now. */
  readonly waitMs: number;
  /** Milliseconds until all of `burst` may come again. */
  readonly fullMs: number;
}

/** Counts by name, each name for itself. */
export interface TokenBuckets {
  readonly rate: BucketRate;
  /** Takes one, if there is one. */
  take(name: string, now: number): Taken;
  /** The same without taking. */
  look(name: string, now: number): Taken;
  /** How many names are remembered. */
  readonly size: number;
}

/** Looking for names that can be forgotten costs a look at all of them; milliseconds between two looks. */
const SWEEP_MS = 1_000;

/**
 * Token buckets, as the theoretical arrival time of the Generic Cell Rate Algorithm (ITU-T I.371): one number for each name,
 * and none for a name whose bucket is full. In no period are there more than `limit + burst`.
 * @param params.max how many names are remembered; beyond it the oldest is forgotten, and may begin anew
 */
export function createTokenBuckets({ rate, max }: { rate: BucketRate; max: number }): TokenBuckets {
  const { limit, periodMs, burst } = rate;
  const stepMs = periodMs / limit;
  const roomMs = stepMs * burst;
  /** When each bucket is full again. */
  const fullAt = new Map<string, number>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  const makeRoom = (now: number): void => {
    if (fullAt.size < max) return;
    if (now - sweptAt > SWEEP_MS) {
      sweptAt = now;
      for (const [name, at] of fullAt) if (at <= now) fullAt.delete(name);
    }
    for (const name of fullAt.keys()) {
      if (fullAt.size < max) return;
      fullAt.delete(name);
    }
  };
  const at = (name: string, now: number): number => Math.max(fullAt.get(name) ?? now, now);
  const told = (fullMs: number, allowed: boolean): Taken => ({
    allowed,
    remaining: Math.max(0, Math.floor((roomMs - fullMs) / stepMs + 1e-6)),
    waitMs: Math.max(0, fullMs + stepMs - roomMs),
    fullMs,
  });

  return {
    rate,
    take(name, now) {
      const before = at(name, now) - now;
      const after = before + stepMs;
      if (after > roomMs + 1e-6) return told(before, false);
      if (!fullAt.has(name)) makeRoom(now);
      fullAt.set(name, now + after);
      return told(after, true);
    },
    look(name, now) {
      const before = at(name, now) - now;
      return told(before, before + stepMs <= roomMs + 1e-6);
    },
    get size() {
      return fullAt.size;
    },
  };
}
