import {
  describeIssues,
  InvalidInputError,
  type Issue,
  parseDuration,
  type Rule,
  type RuleInput,
  readPolicy,
  readUnique,
  SCHEDULE_DEFAULTS,
  type ScheduleRequest,
  type ScheduleSpec,
} from '@jetbeat/core';
import { readTime } from './read-time.ts';

/**
 * Reads a schedule as it is written into what the scheduler works with, its defaults filled in. Whether it can fire is
 * another question: `validateSchedule`.
 * @throws InvalidInputError naming every wrong place
 */
export function readSchedule(request: ScheduleRequest): ScheduleSpec {
  const issues: Issue[] = [];
  const { name, when, timeZone, job, overlap, catchUp, catchUpWindow } = request;
  const { task, input, queue, priority, meta } = job;
  const read = readPolicy(job, '/job');
  issues.push(...read.issues);
  const unique = readUnique({ uniqueKey: job.uniqueKey }, issues, '/job');
  const rules = Array.isArray(when)
    ? when.map((rule, index) => collect(issues, () => readRule(rule, `/when/${index}`)))
    : collect(issues, () => readRule(when as RuleInput, '/when'));
  const window =
    catchUpWindow === undefined
      ? undefined
      : collect(issues, () => parseDuration(catchUpWindow, '/catchUpWindow'));
  if (issues.length > 0) throw new InvalidInputError(describeIssues(issues), issues);
  return {
    name,
    when: rules as Rule | readonly Rule[],
    timeZone: timeZone ?? SCHEDULE_DEFAULTS.timeZone,
    job: {
      task,
      input,
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
      ...(meta === undefined ? {} : { meta }),
      ...read.policy,
      ...(unique === undefined ? {} : { unique }),
    },
    overlap: overlap ?? SCHEDULE_DEFAULTS.overlap,
    catchUp: catchUp ?? SCHEDULE_DEFAULTS.catchUp,
    ...(window === undefined ? {} : { catchUpWindow: window }),
  };
}

function readRule(rule: RuleInput, pointer: string): Rule {
  if ('cron' in rule) return { cron: rule.cron };
  if ('at' in rule) return { at: readTime(rule.at, `${pointer}/at`) };
  const every = parseDuration(rule.every, `${pointer}/every`);
  return rule.from === undefined ? { every } : { every, from: readTime(rule.from, `${pointer}/from`) };
}

/** Runs one reading; what it finds wrong joins the others. */
function collect<Value>(issues: Issue[], read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}
