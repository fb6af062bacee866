import { formatDuration } from '../duration.ts';
import type { Reason } from '../jobs/outcome.ts';
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
  /** How many of them, the first ones, are caught up: they are later than on time. */
  readonly caughtUp: number;
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
  /** Where `times` ends when it is complete, at most `now`, which it is by default. Unix milliseconds. */
  readonly upTo?: number;
  /** Why nobody was there to fire a time (Unix milliseconds), where that is known. */
  readonly awayAt?: (time: number) => string | undefined;
}): CatchUpDecision {
  const { times, complete, now, catchUp, period, awayAt } = params;
  const window = params.window ?? defaultWindow(catchUp, period);
  const windowFrom = now - window;
  const onTimeFrom = now - onTimeWithin(period);
  const late = times.filter((time) => time < onTimeFrom).length;
  const wanted = wantedOf(catchUp);
  const decided = complete ? times.length : Math.min(late, times.length - wanted);
  // When the latest one is on time, there is nothing that `latest` would catch up.
  const caughtUp = catchUp === 'latest' && late < times.length ? 0 : wanted;
  const runsFrom = complete ? late - caughtUp : times.length;

  const due: number[] = [];
  const missed: MissedRun[] = [];
  const runs = (time: number, index: number) => index >= late || (index >= runsFrom && time >= windowFrom);
  for (const [index, time] of times.slice(0, decided).entries()) {
    if (runs(time, index)) due.push(time);
    else addTo(missed, time, missedReason({ catchUp, window, outside: time < windowFrom }, awayAt?.(time)));
  }
  const cursor = complete ? (params.upTo ?? now) : (times[decided - 1] ?? params.cursor);
  const lateOnes = due.filter((time) => time < onTimeFrom).length;
  return { due, caughtUp: lateOnes, missed, cursor, more: !complete };
}

/** Why a time that is run late is late. @param away why nobody was there, where that is known */
export function caughtUpReason(away: string | undefined): Reason {
  return { code: 'caught_up', text: away === undefined ? 'caught up' : `caught up: ${away}` };
}

/** How many late ones are caught up at most. */
function wantedOf(catchUp: CatchUp): number {
  if (typeof catchUp === 'object') return catchUp.all;
  return catchUp === 'latest' ? 1 : 0;
}

function missedReason(
  why: { readonly catchUp: CatchUp; readonly window: number; readonly outside: boolean },
  away: string | undefined,
): Reason {
  const { catchUp, window, outside } = why;
  const { code, text } = outside && catchUp !== 'none' ? outsideWindow(window) : notCaughtUp(catchUp);
  return { code, text: away === undefined ? text : `${text}: ${away}` };
}

function outsideWindow(window: number): Reason {
  return {
    code: 'catch_up_window',
    text: `outside the catch-up window of ${formatDuration(Math.round(window))}`,
  };
}

function notCaughtUp(catchUp: CatchUp): Reason {
  if (catchUp === 'none')
    return { code: 'catch_up_none', text: 'missed, and the schedule catches nothing up' };
  if (catchUp === 'latest')
    return { code: 'catch_up_latest', text: 'missed, and only the latest one is caught up' };
  const most = catchUp.all === 1 ? 'one is' : `${catchUp.all} are`;
  return { code: 'catch_up_limit', text: `missed, and only the latest ${most} caught up` };
}

/** Adds one time to the row of equal ones before it, or begins a new row. */
function addTo(missed: MissedRun[], time: number, reason: Reason): void {
  const last = missed.at(-1);
  if (last?.reason.code === reason.code && last.reason.text === reason.text)
    missed[missed.length - 1] = { ...last, to: time, count: last.count + 1 };
  else missed.push({ from: time, to: time, count: 1, reason });
}
