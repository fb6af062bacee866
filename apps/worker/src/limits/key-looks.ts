/** Looks from time to time at keys for which jobs were parked here: nobody tells of a slot whose holder has died. */
export interface KeyLooks {
  begin(): void;
  /** Jobs wait for this key. */
  watch(hash: string): void;
  /** All are looked at as soon as may be: a holder is known to be dead. */
  hurry(): void;
  /** The same: what holds for jobs may be another key, or limit. */
  changed(): void;
  /** Nobody waits for it any more. */
  forget(hash: string): void;
  /** Resolves when no look is under way. */
  stop(): Promise<void>;
}

const LOOK_MS = 3_000;
/** Keys that are looked at in one round. */
const MAX_LOOKS = 100;
const MAX_WATCHED = 10_000;

/**
 * @param params.look looks at one key; `changed`: for the first time since something else may hold. True: it has not come to an end,
 *   and the next look is the same
 * @param params.onRound called after each round
 */
export function createKeyLooks(params: {
  readonly look: (hash: string, changed: boolean) => Promise<boolean>;
  readonly onRound: () => void;
  readonly onError: (error: unknown) => void;
}): KeyLooks {
  const { look, onRound, onError } = params;
  /** When each was looked at, by `performance.now()`. */
  const watched = new Map<string, number>();
  /** Keys that were not looked at since something else may hold. */
  let changed: Set<string> = new Set();
  let looking: Promise<void> | undefined;
  let rounds: NodeJS.Timeout | undefined;
  let stopped = false;
  /** It is behind all others that are watched. */
  const note = (hash: string, at: number) => {
    watched.delete(hash);
    watched.set(hash, at);
  };
  const lookAt = async (hash: string): Promise<void> => {
    note(hash, performance.now());
    const isChanged = changed.delete(hash);
    try {
      if (!(await look(hash, isChanged)) || !isChanged) return;
      note(hash, Number.NEGATIVE_INFINITY);
    } catch (error) {
      onError(error);
    }
    if (isChanged) changed.add(hash);
  };
  const round = async (): Promise<void> => {
    let due: string[];
    do {
      due = [...watched]
        .filter(([, at]) => performance.now() - at >= LOOK_MS)
        .slice(0, MAX_LOOKS)
        .map(([hash]) => hash);
      for (const hash of due) {
        if (stopped) return;
        await lookAt(hash);
      }
      onRound();
      // Where something else holds now, perhaps for thousands of keys, they do not wait for a round each hundred.
    } while (due.length > 0 && changed.size > 0);
  };
  const go = () => {
    if (stopped) return;
    looking ??= round().finally(() => {
      looking = undefined;
    });
  };
  const hurry = () => {
    for (const hash of watched.keys()) watched.set(hash, Number.NEGATIVE_INFINITY);
    go();
  };
  return {
    begin() {
      if (stopped) return;
      rounds ??= setInterval(go, LOOK_MS * (0.3 + 0.2 * Math.random()));
    },
    watch(hash) {
      if (watched.has(hash)) return;
      watched.set(hash, performance.now());
      const [oldest] = watched.keys();
      // The recorder looks, too.
      if (watched.size > MAX_WATCHED && oldest !== undefined) watched.delete(oldest);
    },
    hurry,
    changed() {
      changed = new Set(watched.keys());
      hurry();
    },
    forget(hash) {
      watched.delete(hash);
      changed.delete(hash);
    },
    async stop() {
      stopped = true;
      clearInterval(rounds);
      await looking;
    },
  };
}
