import type { Priority } from './envelope.ts';
import type { PolicyOverrides } from './policy.ts';
import type { UniqueAsk } from './unique.ts';

/** One rule of recurrence. Times in Unix milliseconds, durations in milliseconds. */
export type Rule =
  /** Five fields, or six with seconds first. */
  | { readonly cron: string }
  /** Fires at `from` and every `every` after it; without `from` it counts from the schedule's creation, and first fires after one `every`. */
  | { readonly every: number; readonly from?: number }
  /** Fires once. */
  | { readonly at: number };

/** When a schedule fires: one rule, or several whose times are united (equal times fire once). */
export type When = Rule | readonly Rule[];

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

/** What to do when a job of the schedule is still open: leave the new one out, or run both. */
export const OVERLAP_RULES = ['skip', 'allow'] as const;
/** What to do when a job of the schedule is still open. */
export type OverlapRule = (typeof OVERLAP_RULES)[number];

/** What to do with the times that passed while nobody was there to fire them. */
export type CatchUp = 'latest' | 'none' | { readonly all: number };

/** A schedule as its author wrote it, read into milliseconds and with its defaults filled in. */
export interface ScheduleSpec {
  readonly name: string;
  readonly when: When;
  /** IANA name; it concerns `cron` only. */
  readonly timeZone: string;
  readonly job: ScheduledJob;
  readonly overlap: OverlapRule;
  readonly catchUp: CatchUp;
  /** Milliseconds; without it the smaller of the period and one hour. */
  readonly catchUpWindow?: number;
}

/** What holds where a schedule says nothing. */
export const SCHEDULE_DEFAULTS = {
  timeZone: 'UTC',
  overlap: 'skip',
  catchUp: 'latest',
} as const satisfies Partial<ScheduleSpec>;

/** The states of an occurrence; `buffered` is reserved for overlap rules that are not built yet. */
export const OCCURRENCE_STATES = ['due', 'dispatched', 'buffered', 'skipped', 'missed'] as const;
/** What became of one nominal time of a schedule. */
export type OccurrenceState = (typeof OCCURRENCE_STATES)[number];

/** The origin of the occurrences that a schedule's own rule makes. */
export const PLAN_ORIGIN = 'plan';
