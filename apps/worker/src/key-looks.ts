/** Looks from time to time at keys for which jobs were parked here: nobody tells of a slot whose holder has died. */
export interface KeyLooks {
  begin(): void;
  /** Jobs wait for this key. */
  watch(hash: string): void;
  /** All are looked at as soon as may be: a holder is known to be dead. */
  hurry(): void;
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
 * @param params.look looks at one key
 * @param params.onRound called after each round
 */
export function createKeyLooks(params: {
  readonly look: (hash: string) => Promise<unknown>;
  readonly onRound: () => void;
  readonly onError: (error: unknown) => void;
}): KeyLooks {
  const { look, onRound, onError } = params;
  /** When each was looked at, by `performance.now()`. */
  const watched = new Map<string, number>();
  let looking: Promise<void> | undefined;
  let rounds: NodeJS.Timeout | undefined;
  let stopped = false;
  const round = async (): Promise<void> => {
    const due = [...watched].filter(([, at]) => performance.now() - at >= LOOK_MS).slice(0, MAX_LOOKS);
    for (const [hash] of due) {
      if (stopped) return;
      watched.set(hash, performance.now());
      await look(hash).catch(onError);
    }
    onRound();
  };
  const go = () => {
    if (stopped) return;
    looking ??= round().finally(() => {
      looking = undefined;
    });
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
    hurry() {
      for (const hash of watched.keys()) watched.set(hash, Number.NEGATIVE_INFINITY);
      go();
    },
    forget: (hash) => void watched.delete(hash),
    async stop() {
      stopped = true;
      clearInterval(rounds);
      await looking;
    },
  };
}
