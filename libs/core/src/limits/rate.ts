import type { RateLimit } from './rate-limit.ts';
import { type OtherPace, type Semaphore, withoutOverdue } from './semaphore.ts';

/** How many jobs may begin in a time, as it is kept with the rate itself. */
export type Pace = Pick<RateLimit, 'limit' | 'periodMs' | 'burst'>;

/** A job that asks whether it may begin. */
export interface RateAsk {
  readonly job: string;
  readonly parks: number;
  /** It had a start, and was too late for it: it goes first. */
  readonly again?: boolean;
  /** Nobody knows yet whether this step has been run: it gets a start only if it was let go for it. */
  readonly unsure?: boolean;
}

/**
 * What a job is told. `start`: it may begin at this time, Unix milliseconds, at most a second ahead; `proven`: it was let go for
 * this very step, so that nobody has run it before. `wait`: it has to be parked. `elsewhere`: a later step of it is on its way.
 * `doubt`: it has to be asked about first.
 */
export type RateAnswer =
  | { readonly kind: 'start'; readonly at: number; readonly proven: boolean }
  | { readonly kind: 'wait' | 'elsewhere' | 'doubt' };

/** Starts are given out so long in advance, milliseconds. */
const AHEAD_MS = 1_000;
/** The same for jobs that are new, so that nobody takes the starts of a whole second for what he has by chance in hand. */
const AHEAD_NEW_MS = 250;
/** How long a job that was let go has its turn, milliseconds. */
export const TURN_MS = 10_000;
/** Jobs are let go so long before their start is due, for the way to their worker takes time; milliseconds. */
const WAY_MS = 250;
/** Of so many rates that have just been changed it is remembered what has begun. */
const MOST_PACES = 4;

/**
 * Takes starts of a rate that all workers share: the theoretical arrival time of the Generic Cell Rate Algorithm (ITU-T
 * I.371), which keeps them evenly apart and lets `burst` of them come at once after a pause. In no period are there more than
 * `limit + burst`. Returns the times at which they are due, at most `count`, and none that is more than a second ahead.
 */
export function claimStarts(
  state: Semaphore,
  { count, ...pace }: Pace & { readonly count: number },
  now: number,
): { readonly next: Semaphore; readonly starts: readonly number[] } {
  let next = withPace(state, pace, now);
  const starts: number[] = [];
  while (starts.length < count) {
    const start = startAfter(next, pace, 0, now);
    if (start > now + AHEAD_MS) break;
    starts.push(start);
    next = taken(next, pace, now);
  }
  return { next, starts };
}

/**
 * When the start would be due that comes after `before` others, none of which has been taken yet, as `claimStarts` counts. Unix
 * milliseconds.
 */
export function startAfter(state: Semaphore, pace: Pace, before: number, now: number): number {
  const { interval, tolerance, tat } = gcra(state, pace, now);
  return Math.max(now, tat + before * interval - tolerance);
}

/** How many starts are due by a time, Unix milliseconds; at most `most`. */
export function startsUntil(state: Semaphore, pace: Pace, until: number, most: number, now: number): number {
  const { interval, tolerance, tat } = gcra(state, pace, now);
  return Math.min(most, Math.max(0, Math.floor((until + tolerance - tat) / interval) + 1));
}

function gcra(state: Semaphore, pace: Pace, now: number) {
  const { interval, tolerance } = times(pace);
  return { interval, tolerance, tat: Math.max(now, withPace(state, pace, now).tat ?? 0) };
}

function times({ limit, periodMs, burst = 1 }: Pace): { interval: number; tolerance: number } {
  const interval = periodMs / limit;
  return { interval, tolerance: (burst - 1) * interval };
}

/** One start was taken. */
function taken(state: Semaphore, pace: Pace, now: number): Semaphore {
  const { tat, interval } = gcra(state, pace, now);
  const { paces, ...rest } = state;
  const others = paces?.flatMap((one): OtherPace[] => {
    if (one.tat <= now) return [];
    const after = one.tat + times(one.pace).interval;
    return [{ pace: one.pace, tat: Math.min(after, latestTat(one.pace, now)) }];
  });
  return { ...rest, tat: tat + interval, ...withOthers(others) };
}

function withOthers(paces: readonly OtherPace[] | undefined): { readonly paces?: readonly OtherPace[] } {
  return paces && paces.length > 0 ? { paces } : {};
}

/** Further ahead starts are taken by nobody whose clock is right. */
function latestTat(pace: Pace, now: number): number {
  const { interval, tolerance } = times(pace);
  return now + AHEAD_MS + tolerance + interval;
}

function isSame(one: Pace | undefined, other: Pace): boolean {
  return (
    one?.limit === other.limit && one.periodMs === other.periodMs && (one.burst ?? 1) === (other.burst ?? 1)
  );
}

/**
 * As it was, with what holds now, for those who know nothing but the document. Whoever has changed the rate does not wait for
 * what was due by the old one: as many starts are ahead by the new one as were by that. What is ahead by the old one is
 * remembered, for whoever has not heard of the change. Nobody waits for what no clock but a wrong one can have said.
 */
function withPace(state: Semaphore, pace: Pace, now: number): Semaphore {
  const { pace: old, tat, paces = [], ...rest } = state;
  const same = isSame(old, pace);
  const latest = latestTat(pace, now);
  if (same && (tat ?? 0) <= latest) return state;
  const { limit, periodMs, burst } = pace;
  const said = { limit, periodMs, ...(burst === undefined ? {} : { burst }) };
  if (tat === undefined || same || !old)
    return { ...state, ...(tat === undefined ? {} : { tat: Math.min(tat, latest) }), pace: said };
  const known = paces.find((one) => isSame(one.pace, pace))?.tat;
  const ahead = (Math.max(0, tat - now) * times(pace).interval) / times(old).interval;
  const others = [{ pace: old, tat }, ...paces].filter((one) => one.tat > now && !isSame(one.pace, pace));
  return {
    ...rest,
    tat: Math.min(known ?? now + ahead, latest),
    pace: said,
    ...withOthers(others.slice(0, MOST_PACES)),
  };
}

/**
 * Decides which of some jobs may begin. Whoever was let go for a start goes first, what is new waits behind what is parked;
 * `state.waiting` says that something is.
 */
export function claimRate(
  state: Semaphore,
  pace: Pace,
  asks: readonly RateAsk[],
  now: number,
): { readonly next: Semaphore; readonly answers: readonly RateAnswer[] } {
  let next = withPace(withoutOverdue(state, now), pace, now);
  const answers = asks.map(({ job, parks, again = false, unsure = false }): RateAnswer => {
    // Also one whose time is over: it is still there, so nobody has used it.
    const kept = state.holders[job];
    const isKept = kept !== undefined && 'until' in kept;
    if (isKept && kept.parks !== parks && kept.until > now) return { kind: 'elsewhere' };
    const proven = isKept && kept.parks === parks;
    if (unsure && !proven) {
      // Its turn was over before it came here.
      next = { ...next, lag: TURN_MS - WAY_MS };
      return { kind: 'doubt' };
    }
    if (proven) next = withLag(next, now - (kept.until - TURN_MS) - WAY_MS);
    const { [job]: _used, ...others } = next.holders;
    // One that was let go has waited behind the backlog of its queue, for longer than its turn was kept perhaps: others that are still on their way have the next starts.
    const goesFirst = proven || again || parks > 0;
    const at = mayBegin(next, pace, {
      others: goesFirst ? 0 : Object.keys(others).length,
      behind: !goesFirst,
      now,
    });
    next = { ...next, holders: others };
    if (at === undefined) {
      next = { ...next, waiting: true };
      return { kind: 'wait' };
    }
    next = taken(next, pace, now);
    return { kind: 'start', at, proven };
  });
  return { next, answers };
}

function withLag({ lag: _before, ...state }: Semaphore, ms: number): Semaphore {
  return ms <= 0 ? state : { ...state, lag: Math.min(ms, TURN_MS - WAY_MS) };
}

/**
 * How many parked jobs may go now, at most `most`: those whose start is due as soon as they can be at their worker. Where they are on
 * their way for longer, as many more as begin in that time; else one start after the other would be due, and nobody there to use
 * it. Those go as far apart as they are to begin.
 */
export function mayGo(state: Semaphore, pace: Pace, most: number, now: number): number {
  const { holders, lag = 0 } = state;
  const onTheirWay = Object.keys(holders).length;
  const within = (ms: number) => startsUntil(state, pace, now + ms, most + onTheirWay, now) - onTheirWay;
  const apart = Math.floor((now - lastGone(state)) / times(pace).interval);
  const ahead = lag === 0 ? 0 : Math.min(apart, within(WAY_MS + lag));
  return Math.max(0, within(WAY_MS), ahead);
}

/** When the next one may go, Unix milliseconds. */
export function nextGoesAt(state: Semaphore, pace: Pace, now: number): number {
  const { holders, lag = 0 } = state;
  const at = startAfter(state, pace, Object.keys(holders).length, now) - WAY_MS;
  return Math.min(at, Math.max(at - lag, lastGone(state) + times(pace).interval));
}

/** When the last of those on their way was let go. */
function lastGone({ holders }: Semaphore): number {
  const untils = Object.values(holders).map((holder) => ('until' in holder ? holder.until : 0));
  return Math.max(0, ...untils) - TURN_MS;
}

/** When a job may begin for which nothing is kept beyond `others`; undefined: not soon enough. */
function mayBegin(
  state: Semaphore,
  pace: Pace,
  { others, behind, now }: { others: number; behind: boolean; now: number },
): number | undefined {
  if (behind && state.waiting) return undefined;
  // The starts of those that are on their way are theirs.
  if (others > 0) return startAfter(state, pace, others, now) <= now ? now : undefined;
  const at = startAfter(state, pace, 0, now);
  return at <= now + (behind ? AHEAD_NEW_MS : AHEAD_MS) ? at : undefined;
}

/** Lets parked jobs go, in this order, as many as may (`mayGo`), and keeps each its turn. Without a pace every one goes. */
export function letGo(
  state: Semaphore,
  pace: Pace | undefined,
  asks: readonly RateAsk[],
  now: number,
): { readonly next: Semaphore; readonly gone: readonly RateAsk[] } {
  const alive = withoutOverdue(state, now);
  const live = pace ? withPace(alive, pace, now) : alive;
  const most = pace ? mayGo(live, pace, asks.length, now) : asks.length;
  const gone = asks.filter(({ job }) => !(job in live.holders)).slice(0, most);
  const holders = Object.fromEntries(gone.map(({ job, parks }) => [job, { until: now + TURN_MS, parks }]));
  return { next: { ...live, holders: { ...live.holders, ...holders }, waiting: true }, gone };
}

/** After how long without a change nothing of a rate is left that could hold anybody up, in milliseconds; undefined while jobs wait. */
export function idleAfter(state: Semaphore, now: number): number | undefined {
  if (state.waiting || Object.keys(state.holders).length > 0) return undefined;
  const last = Math.max(state.tat ?? 0, ...(state.paces ?? []).map(({ tat }) => tat));
  return Math.max(0, last - now);
}
