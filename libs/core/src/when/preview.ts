import { createRecurrence, createRule, type RecurrenceParams, rulesOf, timesBetween } from './recurrence.ts';
import { ruleWarnings, type WhenWarning } from './rule-warnings.ts';
import type { TimeMark } from './time-rule.ts';
import { zoneOf } from './zone.ts';

/** One time at which a schedule is to fire, as its zone's clock shows it. */
interface PreviewedTime {
  /** Unix milliseconds. */
  readonly nominalTime: number;
  /** The reading of the clock, e.g. `2026-03-29T03:30:00`. */
  readonly local: string;
  /** The offset from UTC then, e.g. `+02:00`. */
  readonly offset: string;
  readonly warnings: readonly WhenWarning[];
}

/** The next times of a schedule, and what its author should know of them. */
export interface Preview {
  readonly items: readonly PreviewedTime[];
  readonly warnings: readonly WhenWarning[];
}

/**
 * Says when a schedule fires next, by the same rules as the scheduler.
 * @throws InvalidInputError for what cannot be read, RangeError for an unknown zone
 */
export function previewTimes(
  params: RecurrenceParams & {
    /** The times are those after this, Unix milliseconds. */
    readonly from: number;
    readonly count: number;
  },
): Preview {
  const { when, timeZone, from, count, maxRuns, runs = 0 } = params;
  const recurrence = createRecurrence(params);
  const most = Math.min(count, maxRuns === undefined ? count : maxRuns - runs);
  const times = timesBetween(recurrence, from, Number.POSITIVE_INFINITY, most);
  const periodAt = zoneOf(timeZone);
  const items = times.map((time) => {
    const { offset } = periodAt(time);
    const warnings = recurrence.marks(time).map((mark) => markWarning(mark));
    return {
      nominalTime: time,
      local: readingText(time + offset),
      offset: offsetText(offset),
      warnings: distinct(warnings),
    };
  });
  const rules = rulesOf(when).flatMap((rule) => ruleWarnings(rule, createRule(rule, params)));
  const leftOut = recurrence.leftOut(from, times.at(-1) ?? from);
  const gap = leftOut && {
    code: 'gap_skipped',
    message: `${readingText(leftOut.reading)} does not exist: the clock jumps over it, and it is left out`,
  };
  return { items, warnings: distinct(gap ? [...rules, gap] : rules) };
}

function markWarning({ code, reading }: TimeMark): WhenWarning {
  const named = readingText(reading);
  const message =
    code === 'gap_shifted'
      ? `${named} does not exist: the clock jumps over it, and it runs later by the length of the gap`
      : `the clock shows ${named} twice, and this is the second time`;
  return { code, message };
}

function readingText(reading: number): string {
  return new Date(reading).toISOString().replace(/(\.000)?Z$/, '');
}

function offsetText(offset: number): string {
  const minutes = Math.abs(Math.round(offset / 60_000));
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${offset < 0 ? '-' : '+'}${hour}:${minute}`;
}

function distinct(warnings: readonly WhenWarning[]): WhenWarning[] {
  return [...new Map(warnings.map((warning) => [warning.message, warning])).values()];
}
