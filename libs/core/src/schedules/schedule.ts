import type { Priority } from '../jobs/envelope.ts';
import type { PolicyOverrides } from '../policy/policy.ts';
import type { UniqueAsk } from '../unique/unique.ts';
import type { DstRules, Exclusion, When } from '../when/rule.ts';

/** The job that a schedule makes, as `POST /jobs` would ask for it; limits in milliseconds. */
export interface ScheduledJob extends PolicyOverrides {
  readonly task: string;
  readonly input: unknown;
  readonly queue?: string;
  readonly priority?: Priority;
  readonly meta?: Readonly<Record<string, string>>;
  /** What each of its jobs wants of its key. */
  readonly unique?: UniqueAsk;
}

/**
 * What to do when a job of the schedule is still open: leave the new one out; keep one, or all, until it has ended; cancel the
 * open one first; or run both.
 */
export const OVERLAP_RULES = ['skip', 'buffer-one', 'buffer-all', 'cancel-previous', 'allow'] as const;
/** What to do when a job of the schedule is still open. */
export type OverlapRule = (typeof OVERLAP_RULES)[number];

/** What to do with the times that passed while nobody was there to fire them. */
export type CatchUp =
  | 'latest'
  | 'none'
  /** Up to so many; `spread` milliseconds apart, at once without it. */
  | { readonly all: number; readonly spread?: number };

/** A schedule as its author wrote it, read into milliseconds and with its defaults filled in. */
export interface ScheduleSpec {
  readonly name: string;
  readonly when: When;
  /** Times at which it does not fire. */
  readonly exclude?: readonly Exclusion[];
  /** IANA name; it concerns the rules on the wall clock, and the days that are excluded. */
  readonly timeZone: string;
  /** Without it `DST_DEFAULTS`. */
  readonly dst?: DstRules;
  /** Milliseconds: each time is late by less than this, see `jitterOf`. */
  readonly jitter?: number;
  /** It does not fire before this; Unix milliseconds. */
  readonly startAt?: number;
  /** It does not fire after this; Unix milliseconds. */
  readonly endAt?: number;
  /** It ends after so many times of its own rule have come due; those that are missed do not count. */
  readonly maxRuns?: number;
  readonly job: ScheduledJob;
  readonly overlap: OverlapRule;
  readonly catchUp: CatchUp;
  /** Milliseconds; without it the smaller of the period and one hour. */
  readonly catchUpWindow?: number;
  /** It is paused after so many jobs in a row that died. */
  readonly pauseAfterFailures?: number;
  /** Notes that are searched, not run. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** All that is said of a schedule, so that who writes one in code is told of a wrong name without the schemas of the API. */
export const SCHEDULE_FIELDS = Object.keys({
  name: true,
  when: true,
  exclude: true,
  timeZone: true,
  dst: true,
  jitter: true,
  startAt: true,
  endAt: true,
  maxRuns: true,
  job: true,
  overlap: true,
  catchUp: true,
  catchUpWindow: true,
  pauseAfterFailures: true,
  labels: true,
} satisfies Record<keyof ScheduleSpec, true>);

/** What holds where a schedule says nothing. */
export const SCHEDULE_DEFAULTS = {
  timeZone: 'UTC',
  overlap: 'skip',
  catchUp: 'latest',
} as const satisfies Partial<ScheduleSpec>;

/** The states of an occurrence; `buffered` waits until the job before it has ended. */
export const OCCURRENCE_STATES = ['due', 'dispatched', 'buffered', 'skipped', 'missed'] as const;
/** What became of one nominal time of a schedule. */
export type OccurrenceState = (typeof OCCURRENCE_STATES)[number];

/** The origin of the occurrences that a schedule's own rule makes. */
export const PLAN_ORIGIN = 'plan';
/** How the origins of occurrences begin that were asked for by hand: `trigger:<id>`, `backfill:<id>`. */
export const ORIGIN_PREFIXES = { trigger: 'trigger:', backfill: 'backfill:' } as const;
