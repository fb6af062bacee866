import { MAX_DURATION_MS } from '../duration.ts';
import type { InvalidInputError, Issue } from '../errors.ts';
import { createExclusions, MAX_DATES } from './exclude.ts';
import { MAX_ICAL_LENGTH } from './ical.ts';
import { createRecurrence, type RecurrenceParams, rulesOf } from './recurrence.ts';
import { type Exclusion, FOLD_RULES, GAP_RULES } from './rule.ts';
import { isWithin, oneOfIssues, quote, ruleIssues, timeIssues } from './rule-issues.ts';
import { isZone, nearestZone } from './zone.ts';

/** The most rules in one `when`. */
export const MAX_RULES = 32;
/** The most exclusions of one schedule. */
export const MAX_EXCLUSIONS = 16;
/** The greatest `maxRuns`. */
export const MAX_RUNS_OF_SCHEDULE = 1_000_000_000;

/** What a schedule says about when it fires. */
export type WhenSpec = Omit<RecurrenceParams, 'anchor' | 'runs'> & { readonly jitter?: number };

/**
 * Names everything about the times of a schedule that cannot be accepted; it must fire at least once after `now`.
 * @returns an empty list when all is sound; the work for hostile input is bounded
 */
export function validateWhen(spec: WhenSpec, now: number): Issue[] {
  const { when, exclude, timeZone, dst, jitter, startAt, endAt, maxRuns } = spec;
  const issues: Issue[] = [];
  if (!isZone(timeZone)) issues.push(zoneIssue(timeZone));
  const rules = rulesOf(when);
  const wrongStart = startAt === undefined ? [] : timeIssues(startAt, '/startAt', now);
  const place = { timeZone, now, ...(startAt === undefined || wrongStart.length > 0 ? {} : { startAt }) };
  if (rules.length === 0 || rules.length > MAX_RULES) {
    issues.push({
      pointer: '/when',
      code: 'invalid_when',
      message: `write one rule, or 1 to ${MAX_RULES} of them`,
    });
  } else {
    const pointer = (index: number) => (rules === when ? `/when/${index}` : '/when');
    issues.push(...rules.flatMap((rule, index) => ruleIssues(rule, pointer(index), place)));
  }
  issues.push(...excludeIssues(exclude ?? []));
  if (dst !== undefined) {
    issues.push(...oneOfIssues(dst.gap, GAP_RULES, '/dst/gap'));
    issues.push(...oneOfIssues(dst.fold, FOLD_RULES, '/dst/fold'));
  }
  issues.push(...wrongStart);
  if (endAt !== undefined) issues.push(...timeIssues(endAt, '/endAt', now));
  if (jitter !== undefined && !isWithin(jitter, 0, MAX_DURATION_MS))
    issues.push({ pointer: '/jitter', code: 'invalid_duration', message: 'at most ten years' });
  if (maxRuns !== undefined && !isWithin(maxRuns, 1, MAX_RUNS_OF_SCHEDULE))
    issues.push({ pointer: '/maxRuns', code: 'invalid_value', message: 'a whole number of at least 1' });
  return issues.length > 0 ? issues : refused(() => neverIssues(spec, now));
}

/** Why nothing of it is ahead, where each of its parts is sound. */
function neverIssues(spec: WhenSpec, now: number): Issue[] {
  const { when, timeZone, dst, startAt, endAt } = spec;
  const fires = (params: WhenSpec) => createRecurrence({ ...params, anchor: now }).next(now) !== undefined;
  if (fires(spec)) return [];
  const never = (pointer: string, message: string) => [{ pointer, code: 'never_fires', message }];
  if (endAt !== undefined && endAt < Math.max(now, startAt ?? 0))
    return never('/endAt', 'this schedule would never fire: it ends before it begins, or is over');
  const alone = {
    when,
    timeZone,
    ...(dst === undefined ? {} : { dst }),
    ...(startAt === undefined ? {} : { startAt }),
  };
  // A list may name times that are over, but not only such.
  if (!fires(alone)) return never('/when', 'this schedule would never fire: its times are in the past');
  if (endAt !== undefined && !fires({ ...alone, endAt }))
    return never('/endAt', 'this schedule would never fire: none of its times comes before it ends');
  return never('/exclude', 'this schedule would never fire: all its next times are excluded');
}

function zoneIssue(timeZone: string): Issue {
  const suggestion = nearestZone(timeZone);
  const hint = suggestion ? `, did you mean "${suggestion}"?` : '; write an IANA name such as "Europe/Paris"';
  const message = `${quote(timeZone)} is not a known time zone${hint}`;
  const issue = { pointer: '/timeZone', code: 'unknown_time_zone', message };
  return suggestion === undefined ? issue : { ...issue, suggestion };
}

function excludeIssues(exclude: readonly Exclusion[]): Issue[] {
  if (exclude.length > MAX_EXCLUSIONS) {
    return [{ pointer: '/exclude', code: 'invalid_exclude', message: `at most ${MAX_EXCLUSIONS} of them` }];
  }
  const long = exclude.reduce((sum, one) => sum + ('ical' in one ? one.ical.length : 0), 0);
  if (long > MAX_ICAL_LENGTH) {
    const message = `calendars have at most ${MAX_ICAL_LENGTH} characters together: leave out what is long over`;
    return [{ pointer: '/exclude', code: 'invalid_exclude', message }];
  }
  const tooMany = exclude.flatMap((exclusion, index) => {
    const count = 'dates' in exclusion ? exclusion.dates.length : 1;
    if (count >= 1 && count <= MAX_DATES) return [];
    return [
      { pointer: `/exclude/${index}/dates`, code: 'invalid_exclude', message: `1 to ${MAX_DATES} days` },
    ];
  });
  if (tooMany.length > 0) return tooMany;
  // Whether it can be read is the same in all zones.
  return refused(() => {
    createExclusions(exclude, 'UTC');
    return [];
  });
}

function refused(read: () => Issue[]): Issue[] {
  try {
    return read();
  } catch (error) {
    return [...(error as InvalidInputError).issues];
  }
}
