/** What is to be known about one time of a rule where clocks change. */
export interface TimeMark {
  /**
   * `gap_shifted`: the clock jumps over the time that the rule names, so that it fires later by the length of the gap;
   * `repeated`: the clock shows this time twice, and this is the second one.
   */
  readonly code: 'gap_shifted' | 'repeated';
  /** What the rule names, as if it were UTC; milliseconds. */
  readonly reading: number;
}

/** The days of a rule that names some, whatever its times. */
export interface RuleDays {
  /** 1 to 12. */
  readonly months: ReadonlySet<number>;
  /** Whether a day of one of the months, counted from 1 January 1970, is one of them. */
  readonly matches: (day: number) => boolean;
}

/** A rule on the time line: it says when it fires next, and no more. Unix milliseconds. */
export interface TimeRule {
  /** The first time after `after`, `undefined` when there is none. */
  readonly next: (after: number) => number | undefined;
  /** What is to be known about a time at which it fires. */
  readonly mark?: (time: number) => TimeMark | undefined;
  /** The first gap of the clock after `after` into which a time falls that is left out; `undefined` when none is known of. */
  readonly leftOut?: (after: number, upTo: number) => LeftOut | undefined;
  readonly days?: RuleDays;
  /** What one `next` costs at most, in units of a cron that fires soon (some microseconds). */
  readonly cost: number;
}

/** A time that a clock jumps over. */
export interface LeftOut {
  /** The reading that never comes, as if it were UTC; milliseconds. */
  readonly reading: number;
  /** When the clock jumps; Unix milliseconds. */
  readonly at: number;
}

/** A rule on the wall clock: it knows readings of a clock, written as Unix milliseconds as if they were UTC. */
export interface WallRule {
  /** The first reading after `local` at which it fires, `undefined` when there is none. */
  readonly next: (local: number) => number | undefined;
  /** It runs at least hourly on the days on which it runs. */
  readonly hourly: boolean;
  /** Of a rule that runs on days of the month or the year. */
  readonly days?: RuleDays;
  readonly cost: number;
}
