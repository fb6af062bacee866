import type { AskedResult, AskedRuns, ScheduleRecord } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';
import { canonical } from '../schedules/check-schedule.ts';
import { problemOf } from '../schedules/schedule-json.ts';

/**
 * Refuses a key that was given to another request: the caller would take what became of that one for what it asks now.
 * @throws ApiError key_reused
 */
export function checkRepeat({ asked, repeated }: AskedResult, now: AskedRuns): void {
  if (!repeated) return;
  const before = { overlap: asked.overlap, input: asked.input?.value, count: asked.count };
  const wanted = { overlap: now.overlap, input: now.input?.value, count: now.runs.length };
  if (canonical(before) === canonical(wanted)) return;
  throw new ApiError(
    'key_reused',
    'this key came with another request for this schedule: take a new key, one for each thing that you want done',
  );
}

/**
 * Refuses runs of a schedule of which no job can be made.
 * @throws ApiError invalid_schedule
 */
export function checkReadable(schedule: ScheduleRecord, now: number): void {
  const { name } = schedule;
  const problem = problemOf(schedule, now);
  if (problem === undefined) return;
  const message = `the definition of ${name} cannot be read, so nothing of it is run: ${problem}; mend it first`;
  throw new ApiError('invalid_schedule', message);
}
