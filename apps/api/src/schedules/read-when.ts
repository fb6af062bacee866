import {
  DST_DEFAULTS,
  type Issue,
  parseDuration,
  type Rule,
  SCHEDULE_DEFAULTS,
  type ScheduleSpec,
} from '@jetbeat/core';
import type { RuleInput, ScheduleRequest } from '@jetbeat/core/http';
import { collect } from '../requests/collect.ts';
import { readTime } from '../requests/read-time.ts';

/** What a request says about when. */
export type WhenFields = 'when' | 'exclude' | 'timeZone' | 'dst' | 'startAt' | 'endAt' | 'maxRuns' | 'jitter';

/**
 * Reads what a request says about when; what is wrong joins `issues`, and then the result means nothing. Whether it can fire is
 * another question: `validateWhen`.
 */
export function readWhen(
  request: Pick<ScheduleRequest, WhenFields>,
  issues: Issue[],
): Pick<ScheduleSpec, WhenFields> {
  const { when, exclude, timeZone, dst, startAt, endAt, maxRuns, jitter } = request;
  const read = <Value, Result>(
    value: Value | undefined,
    name: string,
    reading: (value: Value, pointer: string) => Result,
  ): Record<string, Result> => {
    const result = value === undefined ? undefined : collect(issues, () => reading(value, `/${name}`));
    return result === undefined ? {} : { [name]: result };
  };
  const rules = Array.isArray(when)
    ? when.map((rule, index) => collect(issues, () => readRule(rule, `/when/${index}`)))
    : collect(issues, () => readRule(when as RuleInput, '/when'));
  return {
    when: rules as Rule | readonly Rule[],
    timeZone: timeZone ?? SCHEDULE_DEFAULTS.timeZone,
    ...(exclude === undefined ? {} : { exclude }),
    ...(dst === undefined ? {} : { dst: { ...DST_DEFAULTS, ...dst } }),
    ...read(startAt, 'startAt', readTime),
    ...read(endAt, 'endAt', readTime),
    ...read(jitter, 'jitter', parseDuration),
    ...(maxRuns === undefined ? {} : { maxRuns }),
  };
}

function readRule(rule: RuleInput, pointer: string): Rule {
  if ('at' in rule) return { at: readTime(rule.at, `${pointer}/at`) };
  if (!('every' in rule)) return rule;
  const every = parseDuration(rule.every, `${pointer}/every`);
  return rule.from === undefined ? { every } : { every, from: readTime(rule.from, `${pointer}/from`) };
}
