/** Notices when the event loop has stood still, or the whole process. */
export interface Stall {
  /**
   * How many stalls there have been. It looks first, so whoever decides on something that may have waited through a stall
   * asks here before.
   */
  count(): number;
  /** What arrives may have been sent before the last stall was over. */
  readonly recent: boolean;
  stop(): void;
}

/**
 * Below what the keep-alive thread calls blocked, so that nothing is trusted here of which the thread may have said that it
 * is not held.
 */
const LIMIT_MS = 400;
const TURN_MS = 50;

/**
 * What lay unread in the connection while the event loop stood is extended by nobody, and whoever asked was told that it
 * is not held here: somebody else may run it by now. The same holds for everything that waits in a stopped process.
 * @param params.flush resolves when everything that the server sent before has been read
 * @param params.onStall called once for each stall, before anything is decided on what waited
 */
export function watchStall(params: {
  now: () => number;
  flush: () => Promise<void>;
  onStall: () => void;
}): Stall {
  const { now, flush, onStall } = params;
  let turnedAt = now();
  let stalls = 0;
  let unread = 0;
  const look = () => {
    const at = now();
    const standing = at - turnedAt;
    turnedAt = at;
    if (standing < LIMIT_MS) return;
    stalls++;
    unread++;
    const read = () => {
      unread--;
    };
    flush().then(read, read);
    onStall();
  };
  const timer = setInterval(look, TURN_MS);
  return {
    count() {
      look();
      return stalls;
    },
    get recent() {
      return unread > 0;
    },
    stop: () => clearInterval(timer),
  };
}
