/** The events of the sun that a schedule can name, in the order of a day; the names are those of Celery's `solar`. */
export const SOLAR_EVENTS = [
  'dawn_astronomical',
  'dawn_nautical',
  'dawn_civil',
  'sunrise',
  'solar_noon',
  'sunset',
  'dusk_civil',
  'dusk_nautical',
  'dusk_astronomical',
] as const;
/** An event of the sun: it crosses 18, 12 or 6 degrees below the horizon, or the horizon, or stands highest. */
export type SolarEvent = (typeof SOLAR_EVENTS)[number];

/** Days of the week as friendly rules name them. */
export const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
/** A day of the week. */
type Weekday = (typeof WEEKDAYS)[number];

/** A place on earth, in degrees: north and east are positive. */
interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** One rule of recurrence. Times in Unix milliseconds, durations in milliseconds. */
export type Rule =
  /** Five fields, or six with seconds first, or a name such as `@daily`. */
  | { readonly cron: string }
  /** Fires at `from` and every `every` after it; without `from` it counts from `startAt`, or from the schedule's creation, and first fires after one `every`. */
  | { readonly every: number; readonly from?: number }
  /** Fires once. */
  | { readonly at: number }
  /** RFC 5545 §3.3.10, with or without `DTSTART`. */
  | { readonly rrule: string }
  | { readonly solar: Place & { readonly event: SolarEvent } }
  /** Friendly forms; what is left out is 0. */
  | { readonly hourly: { readonly minute?: number } }
  | { readonly daily: { readonly hour: number; readonly minute?: number } }
  | {
      readonly weekly: {
        readonly weekday: Weekday | readonly Weekday[];
        readonly hour: number;
        readonly minute?: number;
      };
    }
  | {
      readonly monthly: { readonly day: number | 'last'; readonly hour: number; readonly minute?: number };
    };

/** When a schedule fires: one rule, or several whose times are united (equal times fire once). */
export type When = Rule | readonly Rule[];

/** Times at which a schedule does not fire though its rule says so. */
export type Exclusion =
  /** Calendar days (`2026-12-25`) on the clock of the schedule's zone. */
  | { readonly dates: readonly string[] }
  /** Every time that it matches; five fields match whole minutes. */
  | { readonly cron: string }
  /** An iCalendar feed (RFC 5545): what lies within one of its events. */
  | { readonly ical: string };

/** What a rule on the wall clock does with a time that the clock jumps over: fires later by the length of the gap, or not at all. */
export const GAP_RULES = ['shift', 'skip'] as const;
/** What it does with a time that comes twice: fires the first time, both times, or both times where it runs at least hourly. */
export const FOLD_RULES = ['first', 'both', 'auto'] as const;

/** What the rules on the wall clock (cron, rrule, friendly forms) do where clocks change. */
export interface DstRules {
  readonly gap: (typeof GAP_RULES)[number];
  readonly fold: (typeof FOLD_RULES)[number];
}

/** What holds where a schedule says nothing. */
export const DST_DEFAULTS: DstRules = { gap: 'shift', fold: 'auto' };
