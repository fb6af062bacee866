import { MAX_DURATION_MS } from './duration.ts';
import { PRIORITIES } from './envelope.ts';
import type { InvalidInputError, Issue } from './errors.ts';
import { isName } from './names.ts';
import { createRecurrence, rulesOf } from './recurrence.ts';
import { OVERLAP_RULES, type Rule, type ScheduledJob, type ScheduleSpec } from './schedule.ts';
import { isZone, nearestZone } from './zone.ts';

/** The shortest `every`, in milliseconds. */
const MIN_EVERY_MS = 1_000;
/** The most rules in one `when`. */
export const MAX_RULES = 32;
/** The largest `n` of catch-up `{all: n}`. */
export const MAX_CATCH_UP = 1_000;

/**
 * Names everything about a schedule that cannot be accepted; its shape (fields and types) has been checked before.
 * @param now Unix milliseconds; a schedule must fire at least once after it
 * @returns an empty list when the schedule is sound; the work for hostile input is bounded
 */
export function validateSchedule(spec: ScheduleSpec, now: number): Issue[] {
  const issues: Issue[] = [];
  const wrong = (pointer: string, code: string, message: string, suggestion?: string) =>
    issues.push({ pointer, code, message, ...(suggestion === undefined ? {} : { suggestion }) });
  const { name, when, timeZone, job, overlap, catchUp, catchUpWindow } = spec;

  if (!isName('schedule', name)) {
    wrong(
      '/name',
      'invalid_schedule_name',
      'a name is tokens of A-Z a-z 0-9 _ - joined by dots or slashes, at most 128 in all',
    );
  }
  if (!isZone(timeZone)) {
    const suggestion = nearestZone(timeZone);
    const hint = suggestion
      ? `, did you mean "${suggestion}"?`
      : '; write an IANA name such as "Europe/Paris"';
    wrong('/timeZone', 'unknown_time_zone', `${quote(timeZone)} is not a known time zone${hint}`, suggestion);
  }
  const rules = rulesOf(when);
  if (rules.length === 0 || rules.length > MAX_RULES) {
    wrong('/when', 'invalid_when', `write one rule, or 1 to ${MAX_RULES} of them`);
  } else {
    issues.push(
      ...rules.flatMap((rule, index) => ruleIssues(rule, rules === when ? `/when/${index}` : '/when', now)),
    );
  }
  // A list may name times that are over, but not only such.
  if (issues.length === 0 && createRecurrence({ when, timeZone, anchor: now }).next(now) === undefined) {
    wrong('/when', 'never_fires', 'this schedule would never fire: its times are in the past');
  }
  issues.push(...jobIssues(job));
  if (!OVERLAP_RULES.includes(overlap))
    wrong('/overlap', 'invalid_value', `overlap is one of ${OVERLAP_RULES.join(', ')}`);
  if (typeof catchUp === 'object' && !isWithin(catchUp.all, 1, MAX_CATCH_UP)) {
    wrong('/catchUp/all', 'invalid_value', `a whole number from 1 to ${MAX_CATCH_UP}`);
  }
  if (catchUpWindow !== undefined && !isWithin(catchUpWindow, 0, MAX_DURATION_MS)) {
    wrong('/catchUpWindow', 'invalid_duration', 'at most ten years');
  }
  return issues;
}

function jobIssues(job: ScheduledJob): Issue[] {
  const issues: Issue[] = [];
  if (!isName('task', job.task)) {
    const message = `${quote(job.task)} is not a task name`;
    issues.push({ pointer: '/job/task', code: 'invalid_task_name', message });
  }
  if (job.queue !== undefined && !isName('queue', job.queue)) {
    const message = `${quote(job.queue)} is not a queue name`;
    issues.push({ pointer: '/job/queue', code: 'invalid_queue_name', message });
  }
  if (job.priority !== undefined && !PRIORITIES.includes(job.priority)) {
    const message = `priority is one of ${PRIORITIES.join(', ')}`;
    issues.push({ pointer: '/job/priority', code: 'invalid_value', message });
  }
  return issues;
}

function ruleIssues(rule: Rule, pointer: string, now: number): Issue[] {
  if ('cron' in rule) return cronIssues(rule.cron, `${pointer}/cron`, now);
  const issues: Issue[] = [];
  if ('at' in rule) {
    if (!isWithin(rule.at, 0, now + MAX_DURATION_MS)) {
      issues.push({
        pointer: `${pointer}/at`,
        code: 'invalid_time',
        message: '"at" is a time at most ten years ahead',
      });
    }
    return issues;
  }
  if (!isWithin(rule.every, MIN_EVERY_MS, MAX_DURATION_MS)) {
    issues.push({ pointer: `${pointer}/every`, code: 'invalid_duration', message: '"every" is 1s to 3650d' });
  }
  if (rule.from !== undefined && !isWithin(rule.from, 0, now + MAX_DURATION_MS)) {
    issues.push({
      pointer: `${pointer}/from`,
      code: 'invalid_time',
      message: '"from" is a time at most ten years ahead',
    });
  }
  return issues;
}

function cronIssues(cron: string, pointer: string, now: number): Issue[] {
  try {
    // No zone makes a difference to whether it fires at all.
    if (createRecurrence({ when: { cron }, timeZone: 'UTC', anchor: now }).next(now) !== undefined) return [];
  } catch (error) {
    return (error as InvalidInputError).issues.map((issue) => ({ ...issue, pointer }));
  }
  const message = `${quote(cron)} never fires: no calendar has such a day`;
  return [{ pointer, code: 'never_fires', message }];
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 128 ? `${text.slice(0, 128)}…` : text);
}
