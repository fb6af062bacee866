import { civilDay, DAY_MS, dayNumber, modulo } from './civil.ts';
import type { RruleParts } from './rrule-parts.ts';
import type { TimesOfDay } from './times-of-day.ts';

const DAY_S = DAY_MS / 1_000;

/** The periods of a rule (every second month from March on, …), each with a number. */
export interface RruleGrid {
  /** Periods are whole days, and `first` gives day numbers; otherwise hours, minutes or seconds, and `first` gives seconds. */
  readonly ofDays: boolean;
  /** The period of the rule that holds this second, or the first one after it. */
  readonly at: (seconds: number) => number;
  /** The first period of the rule that begins at this second or later. */
  readonly from: (seconds: number) => number;
  readonly after: (index: number) => number;
  /** Where a period begins. */
  readonly first: (index: number) => number;
  /** The times of a day in which a period may begin. */
  readonly within: (times: TimesOfDay) => TimesOfDay;
  /** The times in the period that begins at this second of a day. */
  readonly timesOf: (times: TimesOfDay, begin: number) => TimesOfDay;
}

/** Makes the grid of a rule that begins at `start`, in milliseconds. */
export function rruleGrid({ freq, interval, weekStart }: RruleParts, start: number): RruleGrid {
  const seconds = start / 1_000;
  const small = SMALL[freq as keyof typeof SMALL];
  const unit = small?.seconds ?? DAY_S;
  // Periods of days have no use for these.
  const { within, timesOf } = small ?? SMALL.HOURLY;
  const indexOf = small
    ? (time: number) => Math.floor(time / unit)
    : (time: number) => dayIndex(Math.floor(time / DAY_S));
  const base = indexOf(seconds);
  const align = (index: number) => base + Math.max(0, Math.ceil((index - base) / interval)) * interval;
  return {
    ofDays: small === undefined,
    at: (time) => align(indexOf(time)),
    from: (time) => align(Math.ceil(time / unit)),
    after: (index) => index + interval,
    first: small ? (index) => index * unit : firstDay,
    within,
    timesOf,
  };

  function dayIndex(day: number): number {
    if (freq === 'DAILY') return day;
    if (freq === 'WEEKLY') return Math.floor((day - modulo(weekStart - 4, 7)) / 7);
    const { year, month } = civilDay(day);
    return freq === 'MONTHLY' ? year * 12 + month - 1 : year;
  }

  function firstDay(index: number): number {
    if (freq === 'DAILY') return index;
    if (freq === 'WEEKLY') return index * 7 + modulo(weekStart - 4, 7);
    return freq === 'MONTHLY'
      ? dayNumber(Math.floor(index / 12), modulo(index, 12) + 1, 1)
      : dayNumber(index, 1, 1);
  }
}

const ZERO = [0];

/** Periods shorter than a day. */
const SMALL = {
  HOURLY: {
    seconds: 3_600,
    within: ({ hours }: TimesOfDay) => ({ hours, minutes: ZERO, seconds: ZERO }),
    timesOf: (times: TimesOfDay, begin: number) => ({ ...times, hours: [Math.floor(begin / 3_600)] }),
  },
  MINUTELY: {
    seconds: 60,
    within: ({ hours, minutes }: TimesOfDay) => ({ hours, minutes, seconds: ZERO }),
    timesOf: ({ seconds }: TimesOfDay, begin: number) => ({
      hours: [Math.floor(begin / 3_600)],
      minutes: [Math.floor(begin / 60) % 60],
      seconds,
    }),
  },
  SECONDLY: {
    seconds: 1,
    within: (times: TimesOfDay) => times,
    timesOf: (_times: TimesOfDay, begin: number) => ({
      hours: [Math.floor(begin / 3_600)],
      minutes: [Math.floor(begin / 60) % 60],
      seconds: [begin % 60],
    }),
  },
};
