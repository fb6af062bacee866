import { DST_DEFAULTS, formatDuration, previewTimes, type Rule, type ScheduleSpec } from '@jetbeat/core';
import type { PreviewAnswer, RuleInput, Schedule, ScheduleRequest } from '@jetbeat/core/http';
import { timeText } from '../jobs/job-json.ts';
import type { WhenFields } from './read-when.ts';

/** What a schedule says about when, as the API shows it. */
export function whenJson(
  spec: Pick<ScheduleSpec, WhenFields>,
): Omit<Pick<Schedule, WhenFields>, 'when'> & Pick<ScheduleRequest, 'when'> {
  const { when, exclude, timeZone, dst, startAt, endAt, maxRuns, jitter } = spec;
  return {
    when: 'length' in when ? when.map(ruleJson) : ruleJson(when),
    // It is kept as it was written.
    ...(exclude === undefined ? {} : { exclude: [...exclude] as NonNullable<Schedule['exclude']> }),
    timeZone,
    dst: dst ?? DST_DEFAULTS,
    ...(startAt === undefined ? {} : { startAt: timeText(startAt) }),
    ...(endAt === undefined ? {} : { endAt: timeText(endAt) }),
    ...(jitter === undefined ? {} : { jitter: formatDuration(jitter) }),
    ...(maxRuns === undefined ? {} : { maxRuns }),
  };
}

function ruleJson(rule: Rule): RuleInput {
  if ('at' in rule) return { at: timeText(rule.at) };
  // The other rules are kept as they were written.
  if (!('every' in rule)) return rule as RuleInput;
  const every = formatDuration(rule.every);
  return rule.from === undefined ? { every } : { every, from: timeText(rule.from) };
}

/** The next times of a schedule, with what is to be known of them. */
export function previewJson(params: Parameters<typeof previewTimes>[0]): PreviewAnswer {
  const { items, warnings } = previewTimes(params);
  return {
    items: items.map(({ nominalTime, local, offset, warnings: known }) => ({
      nominalTime: timeText(nominalTime),
      local,
      offset,
      warnings: [...known],
    })),
    warnings: [...warnings],
  };
}
