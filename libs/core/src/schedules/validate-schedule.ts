import { MAX_DURATION_MS } from '../duration.ts';
import type { Issue } from '../errors.ts';
import { PRIORITIES } from '../jobs/envelope.ts';
import { isName } from '../names.ts';
import { MAX_ATTEMPTS, MAX_DELAYS } from '../policy/retry-input.ts';
import { isWithin, oneOfIssues, quote } from '../when/rule-issues.ts';
import { validateWhen } from '../when/validate-when.ts';
import { OVERLAP_RULES, type ScheduledJob, type ScheduleSpec } from './schedule.ts';

/** The largest `n` of catch-up `{all: n}`. */
export const MAX_CATCH_UP = 1_000;
/** The greatest `pauseAfterFailures`. */
export const MAX_FAILURES_IN_A_ROW = 1_000;

/**
 * Names everything about a schedule that cannot be accepted; its shape (fields and types) has been checked before.
 * @param now Unix milliseconds; a schedule must fire at least once after it
 * @returns an empty list when the schedule is sound; the work for hostile input is bounded
 */
export function validateSchedule(spec: ScheduleSpec, now: number): Issue[] {
  const issues: Issue[] = [];
  const wrong = (pointer: string, code: string, message: string) => issues.push({ pointer, code, message });
  const { name, job, overlap, catchUp, catchUpWindow, pauseAfterFailures } = spec;

  if (!isName('schedule', name)) {
    wrong(
      '/name',
      'invalid_schedule_name',
      'a name is tokens of A-Z a-z 0-9 _ - joined by dots or slashes, at most 128 in all',
    );
  }
  issues.push(...validateWhen(spec, now));
  issues.push(...jobIssues(job));
  issues.push(...oneOfIssues(overlap, OVERLAP_RULES, '/overlap'));
  if (typeof catchUp === 'object' && !isWithin(catchUp.all, 1, MAX_CATCH_UP)) {
    wrong('/catchUp/all', 'invalid_value', `a whole number from 1 to ${MAX_CATCH_UP}`);
  }
  if (typeof catchUp === 'object' && !isWithin(catchUp.spread ?? 0, 0, MAX_DURATION_MS)) {
    wrong('/catchUp/spread', 'invalid_duration', 'at most ten years');
  }
  if (catchUpWindow !== undefined && !isWithin(catchUpWindow, 0, MAX_DURATION_MS)) {
    wrong('/catchUpWindow', 'invalid_duration', 'at most ten years');
  }
  if (pauseAfterFailures !== undefined && !isWithin(pauseAfterFailures, 1, MAX_FAILURES_IN_A_ROW)) {
    wrong('/pauseAfterFailures', 'invalid_value', `a whole number from 1 to ${MAX_FAILURES_IN_A_ROW}`);
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
  issues.push(...limitIssues(job));
  return issues;
}

/** What makes the total limit of a job: beyond these bounds it takes for ever to add up, and no column holds it. */
function limitIssues({ retry = {}, timeout = {}, expires }: ScheduledJob): Issue[] {
  const issues: Issue[] = [];
  const { attempts = 1, delay = 0, factor = 1, max } = retry;
  const wrong = (field: string, code: string, message: string) =>
    issues.push({ pointer: `/job/${field}`, code, message });
  if (!isWithin(attempts, 1, MAX_ATTEMPTS))
    wrong('retry/attempts', 'invalid_value', `a whole number from 1 to ${MAX_ATTEMPTS}`);
  if (!(factor >= 1 && factor <= 100)) wrong('retry/factor', 'invalid_value', 'a number from 1 to 100');
  const delays = typeof delay === 'object' ? delay : [delay];
  if (delays.length > MAX_DELAYS || !delays.every(isDuration))
    wrong('retry/delay', 'invalid_duration', `at most ten years, or up to ${MAX_DELAYS} of such`);
  const times = { 'retry/max': max, 'timeout/soft': timeout.soft, 'timeout/hard': timeout.hard, expires };
  for (const [field, time = 0] of Object.entries(times))
    if (!isDuration(time)) wrong(field, 'invalid_duration', 'at most ten years');
  return issues;
}

function isDuration(ms: number): boolean {
  return ms >= 0 && ms <= MAX_DURATION_MS;
}
