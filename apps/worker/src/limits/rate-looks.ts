/** Lets jobs go that were parked for a rate, as their starts come. */
export interface RateLooks {
  /** Jobs are parked for this rate. */
  watch(hash: string): void;
  /** Something has changed that may let one go: of one rate, or of all. */
  again(hash?: string): void;
  /** Whether jobs are known to be parked for it. */
  has(hash: string): boolean;
  /** Resolves when no look is under way. */
  stop(): Promise<void>;
}

/** What a look has found. */
interface Found {
  readonly jobs: number;
  readonly waiting: boolean;
  /** When it is to be looked again, Unix milliseconds. */
  readonly dueAt: number;
  /** Where the next look goes on; absent: it begins with the oldest. */
  readonly goOn?: number;
}

interface Watched {
  timer: NodeJS.Timeout | undefined;
  /** Asked for while it was looked. */
  again: boolean;
  looking: boolean;
  /** Where it goes on. */
  from: number | undefined;
}

/** A first look comes so soon after a job was parked, milliseconds. */
const SOON_MS = 20;
const LEAST_MS = 10;
/** Nobody tells of a rate that was changed elsewhere. */
const MOST_MS = 30_000;
const FAILED_MS = 1_000;
/** Whoever found nothing to do leaves it to others for up to so long, milliseconds. */
const OTHERS_MS = 60;
/** Looks under way at the same time. */
const MOST_LOOKS = 8;
const MOST_WATCHED = 10_000;

/**
 * @param params.look lets go what is due of one rate; `from`: where the last look said that the next one is to go on
 * @param params.now Unix milliseconds
 */
export function createRateLooks(params: {
  readonly look: (hash: string, from: number | undefined) => Promise<Found>;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}): RateLooks {
  const { look, now, onError } = params;
  const watched = new Map<string, Watched>();
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  const ring = (hash: string, one: Watched, ms: number) => {
    clearTimeout(one.timer);
    if (stopped) return;
    one.timer = setTimeout(() => begin(hash, one), Math.min(MOST_MS, Math.max(LEAST_MS, ms)));
  };
  const begin = (hash: string, one: Watched) => {
    if (one.looking || stopped) return;
    if (underWay.size >= MOST_LOOKS) return ring(hash, one, LEAST_MS);
    one.looking = true;
    one.again = false;
    const work = pass(hash, one).finally(() => underWay.delete(work));
    underWay.add(work);
  };
  const pass = async (hash: string, one: Watched): Promise<void> => {
    let wait = FAILED_MS;
    try {
      const { jobs, waiting, dueAt, goOn } = await look(hash, one.from);
      // What has changed may let the oldest go.
      one.from = one.again ? undefined : goOn;
      if (!waiting && !one.again) {
        watched.delete(hash);
        clearTimeout(one.timer);
        return;
      }
      wait = dueAt - now() + (jobs === 0 ? Math.random() * OTHERS_MS : 0);
    } catch (error) {
      onError(error);
    } finally {
      one.looking = false;
    }
    ring(hash, one, one.again ? LEAST_MS : wait);
  };
  return {
    watch(hash) {
      const known = watched.get(hash);
      if (known) {
        // Whoever looks now may have looked too early to see it.
        if (known.looking) known.again = true;
        return;
      }
      // The recorder looks, too.
      if (watched.size >= MOST_WATCHED) return;
      const one: Watched = { timer: undefined, again: false, looking: false, from: undefined };
      watched.set(hash, one);
      ring(hash, one, SOON_MS);
    },
    again(hash) {
      for (const [name, one] of hash === undefined ? watched : [[hash, watched.get(hash)] as const]) {
        if (!one) continue;
        one.from = undefined;
        if (one.looking) one.again = true;
        else ring(name, one, LEAST_MS);
      }
    },
    has: (hash) => watched.has(hash),
    async stop() {
      stopped = true;
      for (const { timer } of watched.values()) clearTimeout(timer);
      watched.clear();
      await Promise.all(underWay);
    },
  };
}
