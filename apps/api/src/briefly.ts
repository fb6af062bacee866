/** Asks for a value by its key, or gives the one that was asked for a moment ago. */
export type Briefly<Value> = (key: string, look: () => Promise<Value>) => Promise<Value>;

interface Known<Value> {
  readonly value: Promise<Value>;
  /** Up to when it is given; while it is looked up it always is. */
  until: number;
}

/**
 * Remembers answers for a moment, so that what many ask is looked up once: also while it is being looked up.
 * @param params.freshMs how long an answer is given
 * @param params.most how many are remembered
 */
export function createBriefly<Value>(params: {
  freshMs: (value: Value) => number;
  most: number;
  /** Milliseconds. */
  monotonic?: () => number;
}): Briefly<Value> {
  const { freshMs, most, monotonic = () => performance.now() } = params;
  const known = new Map<string, Known<Value>>();
  const makeRoom = () => {
    const now = monotonic();
    for (const [key, { until }] of known) if (until <= now) known.delete(key);
    // All of them are fresh: the first come go.
    for (const key of known.keys()) {
      if (known.size < most) break;
      known.delete(key);
    }
  };
  return (key, look) => {
    const before = known.get(key);
    if (before && monotonic() < before.until) return before.value;
    known.delete(key);
    if (known.size >= most) makeRoom();
    const taken: Known<Value> = { value: look(), until: Number.POSITIVE_INFINITY };
    known.set(key, taken);
    taken.value.then(
      (value) => {
        taken.until = monotonic() + freshMs(value);
      },
      () => {
        // A failed look is not kept: the next request tries again.
        if (known.get(key) === taken) known.delete(key);
      },
    );
    return taken.value;
  };
}
