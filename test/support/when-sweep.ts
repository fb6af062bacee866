import { createRecurrence, type DstRules, timesBetween, type When } from '@jetbeat/core';
import { type ClockRecord, firesBetween, type Shown } from './clock-oracle.ts';

const DAY = 86_400_000;

/** A rule, and what it asks of a clock in the oracle's words. */
export interface SweptRule {
  readonly when: When;
  /** It runs at least hourly. */
  readonly hourly: boolean;
  readonly fires: (clock: Shown) => boolean;
}

/** Every minute there is. */
export const EVERY_MINUTE: SweptRule = { when: { cron: '* * * * *' }, hourly: true, fires: () => true };

/** Rules on the wall clock of all forms. */
export const RULES: readonly SweptRule[] = [
  { when: { cron: '30 2 * * *' }, hourly: false, fires: ({ hour, minute }) => hour === 2 && minute === 30 },
  { when: { cron: '@daily' }, hourly: false, fires: ({ hour, minute }) => hour === 0 && minute === 0 },
  {
    when: { cron: '*/10 0-3 * * *' },
    hourly: false,
    fires: ({ hour, minute }) => hour <= 3 && minute % 10 === 0,
  },
  { when: { cron: '*/15 * * * *' }, hourly: true, fires: ({ minute }) => minute % 15 === 0 },
  {
    when: { cron: '45 * * * SUN' },
    hourly: true,
    fires: ({ weekday, minute }) => weekday === 0 && minute === 45,
  },
  { when: { hourly: { minute: 20 } }, hourly: true, fires: ({ minute }) => minute === 20 },
  {
    when: { weekly: { weekday: ['saturday', 'sunday'], hour: 1, minute: 59 } },
    hourly: false,
    fires: ({ weekday, hour, minute }) => weekday % 6 === 0 && hour === 1 && minute === 59,
  },
  {
    when: { rrule: 'DTSTART:20000101T001500\nRRULE:FREQ=DAILY;BYHOUR=0,2' },
    hourly: false,
    fires: ({ hour, minute }) => (hour === 0 || hour === 2) && minute === 15,
  },
  {
    when: { rrule: 'DTSTART:20000101T000000\nRRULE:FREQ=MINUTELY;INTERVAL=20' },
    hourly: true,
    fires: ({ minute }) => minute % 20 === 0,
  },
];

/** What `dst` can be. */
export const DST_RULES: readonly DstRules[] = (['shift', 'skip'] as const).flatMap((gap) =>
  (['first', 'both', 'auto'] as const).map((fold) => ({ gap, fold })),
);

/** Compares when the engine says that a rule fires after `from` and up to `to`, and when the oracle does. */
export function compare(
  record: ClockRecord,
  params: {
    readonly timeZone: string;
    readonly rule: SweptRule;
    readonly dst: DstRules;
    readonly from?: number;
    readonly to?: number;
  },
): { readonly expected: readonly number[]; readonly difference: string } {
  const { timeZone, rule, dst } = params;
  const { from = record.from + 4 * DAY, to = record.to - 4 * DAY } = params;
  const recurrence = createRecurrence({ when: rule.when, timeZone, dst, anchor: 0 });
  const both = dst.fold === 'both' || (dst.fold === 'auto' && rule.hourly);
  const times = timesBetween(recurrence, from, to, Number.POSITIVE_INFINITY);
  const expected = firesBetween(record, { from, to, gap: dst.gap, both, fires: rule.fires });
  return { expected, difference: differenceOf(times, expected) };
}

/** The first place at which two lists differ, in words; empty when they are the same. Thousands of times are not to be printed. */
function differenceOf(times: readonly number[], expected: readonly number[]): string {
  const length = Math.max(times.length, expected.length);
  for (let index = 0; index < length; index += 1) {
    if (times[index] !== expected[index])
      return `${index} of ${expected.length}: ${textOf(times[index])} instead of ${textOf(expected[index])}`;
  }
  return '';
}

function textOf(time: number | undefined): string {
  return time === undefined ? 'none' : new Date(time).toISOString();
}
