import { concurrencyHash } from './concurrency.ts';
import type { JobEnvelope } from './envelope.ts';
import type { RateLimit } from './queue-settings.ts';
import type { TaskRate } from './rate-input.ts';
import { type Semaphore, withoutOverdue } from './semaphore.ts';

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
  return { ...state, tat: tat + interval };
}

/**
 * As it was, with what holds now, for those who know nothing but the document. Whoever has changed the rate does not wait for
 * what was due by the old one; nor does anybody wait for what no clock but a wrong one can have said.
 */
function withPace(state: Semaphore, { limit, periodMs, burst }: Pace, now: number): Semaphore {
  const { pace, tat } = state;
  const { interval, tolerance } = times({ limit, periodMs, ...(burst === undefined ? {} : { burst }) });
  const same = pace?.limit === limit && pace.periodMs === periodMs && pace.burst === burst;
  const latest = same ? now + AHEAD_MS + tolerance + interval : now + interval;
  if (same && (tat ?? 0) <= latest) return state;
  return {
    ...state,
    ...(tat === undefined ? {} : { tat: Math.min(tat, latest) }),
    pace: { limit, periodMs, ...(burst === undefined ? {} : { burst }) },
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
    if (unsure && !proven) return { kind: 'doubt' };
    const { [job]: _used, ...others } = next.holders;
    const goesFirst = proven || again;
    const at = mayBegin(next, pace, {
      others: goesFirst ? 0 : Object.keys(others).length,
      behind: !goesFirst && parks === 0,
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

/**
 * Lets parked jobs go, in this order, as far as their starts are due by a time, and keeps each its turn until `kept` (both Unix milliseconds).
 * Without a pace every one goes.
 */
export function letGo(
  state: Semaphore,
  pace: Pace | undefined,
  asks: readonly RateAsk[],
  times: { readonly now: number; readonly until: number; readonly kept: number },
): { readonly next: Semaphore; readonly gone: readonly RateAsk[] } {
  const { now, until, kept } = times;
  const alive = withoutOverdue(state, now);
  const live = pace ? withPace(alive, pace, now) : alive;
  const onTheirWay = Object.keys(live.holders).length;
  const due = pace
    ? startsUntil(live, pace, until, onTheirWay + asks.length, now) - onTheirWay
    : Number.POSITIVE_INFINITY;
  const gone = asks.filter(({ job }) => !(job in live.holders)).slice(0, Math.max(0, due));
  const holders = Object.fromEntries(gone.map(({ job, parks }) => [job, { until: kept, parks }]));
  return { next: { ...live, holders: { ...live.holders, ...holders }, waiting: true }, gone };
}

/** After how long without a change nothing of a rate is left that could hold anybody up, in milliseconds; undefined while jobs wait. */
export function idleAfter(state: Semaphore, now: number): number | undefined {
  if (state.waiting || Object.keys(state.holders).length > 0) return undefined;
  return Math.max(0, (state.tat ?? 0) - now);
}

/** The rate that holds for a job. */
export interface JobRate extends Pace {
  /** Whose rate it is, in words that people read: `task mail.send`. */
  readonly name: string;
  /** Stands for the name, as `concurrencyHash` does. */
  readonly hash: string;
}

/**
 * The rate that holds for a job, if any: that of its task, else one of its queue that is counted per task or key. There is one, so
 * that no start of one rate is used up while the job waits for another.
 */
export function rateOf(
  job: Pick<JobEnvelope, 'task' | 'queue' | 'policy'>,
  ofTask: TaskRate | undefined,
  ofQueue: RateLimit | undefined,
): JobRate | undefined {
  const rate = ofTask ?? ofQueue;
  if (!rate?.per || rate.per === 'queue') return undefined;
  const { limit, periodMs, burst, per } = rate;
  const key = job.policy?.concurrency?.key;
  if (per === 'key' && key === undefined) return undefined;
  const whose = ofTask ? `task ${job.task}` : `queue ${job.queue}`;
  const part = per === 'key' ? `, key ${key}` : ofTask ? '' : `, task ${job.task}`;
  const name = whose + part;
  return {
    name,
    hash: concurrencyHash(name),
    limit,
    periodMs,
    ...(burst === undefined ? {} : { burst }),
  };
}
