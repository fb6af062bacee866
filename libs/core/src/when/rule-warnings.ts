import { dayNumber } from './civil.ts';
import { parseCron } from './cron.ts';
import type { Rule } from './rule.ts';
import { solarTime } from './solar.ts';
import type { RuleDays, TimeRule } from './time-rule.ts';

/** Something about a schedule that its author may not have meant. */
export interface WhenWarning {
  readonly code: string;
  readonly message: string;
}

/** Four years with a leap year among them: in these every month has been as short as it gets. */
const YEARS = [2025, 2026, 2027, 2028];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
const FEBRUARY = 2;

/** What is to be known of one rule, whatever the time. */
export function ruleWarnings(rule: Rule, timeRule: TimeRule): WhenWarning[] {
  const warnings = timeRule.days ? monthWarnings(timeRule.days) : [];
  if ('cron' in rule && parseCron(rule.cron).eitherDay) {
    const message =
      'day of month and day of week are both limited, and then either is enough, as crontab(5) says';
    warnings.push({ code: 'either_day', message });
  }
  if ('solar' in rule) {
    const { event, latitude } = rule.solar;
    const solstices = [dayNumber(2027, 6, 21), dayNumber(2027, 12, 21)];
    if (solstices.some((day) => solarTime(rule.solar, day) === undefined)) {
      const message = `at latitude ${latitude} there are days without ${event}: those are skipped`;
      warnings.push({ code: 'polar_days', message });
    }
  }
  return warnings;
}

function monthWarnings(days: RuleDays): WhenWarning[] {
  const lacking = [...days.months].filter((month) => YEARS.some((year) => !hasDay(days, year, month)));
  if (lacking.length === 0) return [];
  if (lacking.length === 1 && lacking[0] === FEBRUARY && days.months.size === 1)
    return [
      { code: 'leap_day', message: '29 February comes in leap years only: the other years are skipped' },
    ];
  const names = lacking.map((month) => MONTHS[month - 1]).join(', ');
  const message = `not every month has such a day, and is skipped then: ${names}; the last day of a month is written L, or "last"`;
  return [{ code: 'months_skipped', message }];
}

function hasDay({ matches }: RuleDays, year: number, month: number): boolean {
  const end = dayNumber(year, month + 1, 1);
  for (let day = dayNumber(year, month, 1); day < end; day += 1) if (matches(day)) return true;
  return false;
}
