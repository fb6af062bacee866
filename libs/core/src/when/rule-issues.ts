import { MAX_DURATION_MS } from '../duration.ts';
import type { InvalidInputError, Issue } from '../errors.ts';
import { nearest } from '../unknown-fields.ts';
import { type FriendlyRule, isFriendly, toCron } from './friendly.ts';
import { createRule } from './recurrence.ts';
import { type Rule, SOLAR_EVENTS, WEEKDAYS } from './rule.ts';
import type { Solar } from './solar.ts';
import { isZone } from './zone.ts';

/** The shortest `every`, in milliseconds. */
const MIN_EVERY_MS = 1_000;

/** Where a rule is used, as far as that says whether it can fire. */
export interface RulePlace {
  readonly timeZone: string;
  readonly startAt?: number;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Names everything about one rule that cannot be accepted; the work is bounded. */
export function ruleIssues(rule: Rule, pointer: string, place: RulePlace): Issue[] {
  const { now } = place;
  if ('at' in rule) return timeIssues(rule.at, `${pointer}/at`, now);
  if ('every' in rule) {
    const issues = rule.from === undefined ? [] : timeIssues(rule.from, `${pointer}/from`, now);
    if (!isWithin(rule.every, MIN_EVERY_MS, MAX_DURATION_MS))
      issues.unshift({
        pointer: `${pointer}/every`,
        code: 'invalid_duration',
        message: '"every" is 1s to 3650d',
      });
    return issues;
  }
  if (isFriendly(rule)) {
    const issues = friendlyIssues(rule, pointer);
    return issues.length > 0 ? issues : neverIssues(rule, pointer, toCron(rule), place);
  }
  if ('solar' in rule) {
    const issues = solarIssues(rule.solar, `${pointer}/solar`);
    const { event, latitude } = rule.solar;
    return issues.length > 0
      ? issues
      : neverIssues(rule, `${pointer}/solar`, `${event} at latitude ${latitude}`, place);
  }
  return 'cron' in rule
    ? neverIssues(rule, `${pointer}/cron`, rule.cron, place)
    : neverIssues(rule, `${pointer}/rrule`, rule.rrule, place);
}

/** A rule that cannot be read, or that never fires; a rule that has an end may be over, which another asks about. */
function neverIssues(rule: Rule, pointer: string, written: string, place: RulePlace): Issue[] {
  const { now, startAt } = place;
  // An unknown zone is said once, for the schedule; whether a rule ever fires is the same in all.
  const timeZone = isZone(place.timeZone) ? place.timeZone : 'UTC';
  const anchor = { timeZone, anchor: now, ...(startAt === undefined ? {} : { startAt }) };
  try {
    const { next } = createRule(rule, anchor);
    if (next(now) !== undefined || next(0) !== undefined) return [];
  } catch (error) {
    return (error as InvalidInputError).issues.map((issue) => ({ ...issue, pointer }));
  }
  const why = 'solar' in rule ? 'the sun never does that there' : 'no calendar has such a day';
  return [{ pointer, code: 'never_fires', message: `${quote(written)} never fires: ${why}` }];
}

function friendlyIssues(rule: FriendlyRule, pointer: string): Issue[] {
  const issues: Issue[] = [];
  const check = (name: string, value: number | undefined, least: number, most: number) => {
    if (value !== undefined && !isWithin(value, least, most))
      issues.push({
        pointer: `${pointer}/${name}`,
        code: 'invalid_value',
        message: `a whole number from ${least} to ${most}`,
      });
  };
  if ('hourly' in rule) check('hourly/minute', rule.hourly.minute, 0, 59);
  else {
    const [name, at] =
      'daily' in rule
        ? (['daily', rule.daily] as const)
        : 'weekly' in rule
          ? (['weekly', rule.weekly] as const)
          : (['monthly', rule.monthly] as const);
    check(`${name}/hour`, at.hour, 0, 23);
    check(`${name}/minute`, at.minute, 0, 59);
  }
  if ('monthly' in rule && rule.monthly.day !== 'last') check('monthly/day', rule.monthly.day, 1, 31);
  if ('weekly' in rule) issues.push(...weekdayIssues(rule.weekly.weekday, `${pointer}/weekly/weekday`));
  return issues;
}

function weekdayIssues(weekday: string | readonly string[], pointer: string): Issue[] {
  const days = typeof weekday === 'string' ? [weekday] : weekday;
  if (days.length === 0) return [{ pointer, code: 'invalid_value', message: 'name at least one day' }];
  return days.flatMap((day) => oneOfIssues(day, WEEKDAYS, pointer));
}

function solarIssues({ event, latitude, longitude }: Solar, pointer: string): Issue[] {
  const issues = oneOfIssues(event, SOLAR_EVENTS, `${pointer}/event`);
  const range = (name: string, value: number, most: number) => {
    if (!(Math.abs(value) <= most))
      issues.push({
        pointer: `${pointer}/${name}`,
        code: 'invalid_value',
        message: `degrees from -${most} to ${most}`,
      });
  };
  range('latitude', latitude, 90);
  range('longitude', longitude, 180);
  return issues;
}

/** What is said of a word that is none of those that are known. */
export function oneOfIssues(word: string, known: readonly string[], pointer: string): Issue[] {
  if (known.includes(word)) return [];
  const suggestion = nearest(word, known);
  const hint = suggestion === undefined ? `one of ${known.join(', ')}` : `did you mean "${suggestion}"?`;
  const message = `${quote(word)} is not known here: ${hint}`;
  return [{ pointer, code: 'invalid_value', message, ...(suggestion === undefined ? {} : { suggestion }) }];
}

/** A time that lies too far ahead, or is none. */
export function timeIssues(time: number, pointer: string, now: number): Issue[] {
  if (isWithin(time, 0, now + MAX_DURATION_MS)) return [];
  const field = pointer.slice(pointer.lastIndexOf('/') + 1);
  return [{ pointer, code: 'invalid_time', message: `"${field}" is a time at most ten years ahead` }];
}

/** Whether it is a whole number between the two. */
export function isWithin(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

/** A text as a message repeats it. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 128 ? `${text.slice(0, 128)}…` : text);
}
