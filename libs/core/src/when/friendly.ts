import type { Rule } from './rule.ts';

/** The rules that are written for people, and mean a cron. */
export type FriendlyRule = Extract<
  Rule,
  { hourly: unknown } | { daily: unknown } | { weekly: unknown } | { monthly: unknown }
>;

/** Whether a rule is one of the friendly forms. */
export function isFriendly(rule: Rule): rule is FriendlyRule {
  return 'hourly' in rule || 'daily' in rule || 'weekly' in rule || 'monthly' in rule;
}

/** The cron that a friendly rule means, so that both take the same way. */
export function toCron(rule: FriendlyRule): string {
  if ('hourly' in rule) return `${rule.hourly.minute ?? 0} * * * *`;
  if ('daily' in rule) return `${clock(rule.daily)} * * *`;
  if ('weekly' in rule) {
    const { weekday } = rule.weekly;
    const days = typeof weekday === 'string' ? [weekday] : weekday;
    return `${clock(rule.weekly)} * * ${days.map((day) => day.slice(0, 3).toUpperCase()).join(',')}`;
  }
  const { day } = rule.monthly;
  return `${clock(rule.monthly)} ${day === 'last' ? 'L' : day} * *`;
}

function clock({ hour, minute = 0 }: { readonly hour: number; readonly minute?: number }): string {
  return `${minute} ${hour}`;
}
