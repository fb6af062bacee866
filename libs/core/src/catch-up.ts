import type { Reason } from './outcome.ts';
import type { CatchUp } from './schedule.ts';

const HOUR = 3_600_000;

/** The most nominal times of one schedule that one pass looks at; must be greater than any `{all: n}`. */
export const MAX_TIMES = 10_000;

/** A row of nominal times that did not run, for one reason. Unix milliseconds. */
export interface MissedRun {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly reason: Reason;
}

/** What becomes of the nominal times that have come. */
export interface CatchUpDecision {
  /** To be run, oldest first. */
  readonly due: readonly number[];
  readonly missed: readonly MissedRun[];
  /** Everything up to here is decided; ask again for what comes after. Unix milliseconds. */
  readonly cursor: number;
  /** There is more to decide at once. */
  readonly more: boolean;
}

/**
 * How late an occurrence may be and still be on time, in milliseconds: its period, but at least 2 s and at most 5 s. What is on
 * time always runs, whatever the catch-up rule says: a scheduler that stumbles for a second has not been away.
 */
export function onTimeWithin(period: number): number {
  return Math.max(2_000, Math.min(5_000, period));
}

/**
 * How late an occurrence may be and still be caught up, in milliseconds, where the schedule does not say: the smaller of its
 * period and one hour; one hour for `{all: n}`, which would mean nothing else.
 */
export function defaultWindow(catchUp: CatchUp, period: number): number {
  return typeof catchUp === 'object' ? HOUR : Math.min(HOUR, period);
}

/**
 * Decides which of the times that have come run, and which were missed and why. When `times` were cut at a limit, the last ones
 * stay undecided, since what follows decides about them.
 */
export function decideCatchUp(params: {
  /** Every nominal time since the last decision up to `now`, oldest first; or the first `MAX_TIMES` of them. Unix milliseconds. */
  readonly times: readonly number[];
  /** Whether `times` goes up to `now`. */
  readonly complete: boolean;
  readonly now: number;
  readonly catchUp: CatchUp;
  /** Milliseconds; `undefined` for the default. */
  readonly window: number | undefined;
  /** Milliseconds between the last of `times` and the one after it; infinite when there is none. */
  readonly period: number;
  /** Everything up to here is decided already. Unix milliseconds. */
  readonly cursor: number;
}): CatchUpDecision {
  const { times, complete, now, catchUp, period } = params;
  const windowFrom = now - (params.window ?? defaultWindow(catchUp, period));
  const onTimeFrom = now - onTimeWithin(period);
  const late = times.filter((time) => time < onTimeFrom).length;
  const wanted = wantedOf(catchUp);
  const decided = complete ? times.length : Math.min(late, times.length - wanted);
  // When the latest one is on time, there is nothing that `latest` would catch up.
  const caughtUp = catchUp === 'latest' && late < times.length ? 0 : wanted;
  const runsFrom = complete ? late - caughtUp : times.length;

  const due: number[] = [];
  const missed: MissedRun[] = [];
  for (const [index, time] of times.slice(0, decided).entries()) {
    if (index >= late || (index >= runsFrom && time >= windowFrom)) due.push(time);
    else addTo(missed, time, catchUp !== 'none' && time < windowFrom ? REASONS.window : reasonOf(catchUp));
  }
  return { due, missed, cursor: complete ? now : (times[decided - 1] ?? params.cursor), more: !complete };
}

/** How many late ones are caught up at most. */
function wantedOf(catchUp: CatchUp): number {
  if (typeof catchUp === 'object') return catchUp.all;
  return catchUp === 'latest' ? 1 : 0;
}

const REASONS = {
  none: { code: 'catch_up_none', text: 'the scheduler was away, and the schedule catches nothing up' },
  latest: { code: 'catch_up_latest', text: 'the scheduler was away, and only the latest is caught up' },
  limit: { code: 'catch_up_limit', text: 'the scheduler was away, and more were due than are caught up' },
  window: { code: 'catch_up_window', text: 'the scheduler was away for longer than the catch-up window' },
} as const satisfies Record<string, Reason>;

function reasonOf(catchUp: CatchUp): Reason {
  return typeof catchUp === 'object' ? REASONS.limit : REASONS[catchUp];
}

/** Adds one time to the row of equal ones before it, or begins a new row. */
function addTo(missed: MissedRun[], time: number, reason: Reason): void {
  const last = missed.at(-1);
  if (last?.reason === reason) missed[missed.length - 1] = { ...last, to: time, count: last.count + 1 };
  else missed.push({ from: time, to: time, count: 1, reason });
}
