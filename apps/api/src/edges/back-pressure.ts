import { ApiError, type CountedAs } from '../problems/problem.ts';

/** How many statements wait for a connection to PostgreSQL, and for how long the first of them has. */
export interface Queueing {
  readonly count: number;
  /** Milliseconds. */
  readonly oldestMs: number;
}

/** Says whether one more request can be taken on. */
export interface BackPressure {
  /** Throws ApiError `overloaded` while this process or its connections cannot keep up. */
  check(): void;
  stop(): void;
}

/** A request has several turns of the event loop: with turns of this length it would not be done in its time. Milliseconds. */
const MAX_TURN_MS = 500;
/** So many turns one after the other: one alone is a start, a pause of the whole process, or a collection of garbage. */
const TURNS = 3;
/** What waits longer for a connection would be answered too late for most. Milliseconds. */
const MAX_QUEUE_MS = 1_000;
/** However short they have waited: each is a request in memory. */
const MAX_QUEUED = 2_000;
const LOOK_MS = 100;
/** Seconds. */
const RETRY_AFTER = 1;

/** Watches how late a timer of the event loop is, and the pool of connections. */
export function createBackPressure(params: {
  queueing: () => Queueing;
  monotonic?: () => number;
}): BackPressure {
  const { queueing, monotonic = () => performance.now() } = params;
  let last = monotonic();
  let lateMs = 0;
  let lateTurns = 0;
  const look = setInterval(() => {
    const now = monotonic();
    lateMs = now - last - LOOK_MS;
    lateTurns = lateMs > MAX_TURN_MS ? lateTurns + 1 : 0;
    last = now;
  }, LOOK_MS);
  look.unref();
  const refuse = (why: string, counted: CountedAs): never => {
    throw new ApiError('overloaded', `${why}: repeat later`, { retryAfter: RETRY_AFTER, counted });
  };
  return {
    check() {
      if (lateTurns >= TURNS) refuse(`this process is ${Math.round(lateMs)} ms behind`, 'event_loop');
      const { count, oldestMs } = queueing();
      if (count > MAX_QUEUED || oldestMs > MAX_QUEUE_MS)
        refuse(
          `${count} statements wait for PostgreSQL, the first for ${Math.round(oldestMs)} ms`,
          'database_busy',
        );
    },
    stop: () => clearInterval(look),
  };
}
