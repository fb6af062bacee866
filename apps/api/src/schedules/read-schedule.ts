import {
  type CatchUp,
  describeIssues,
  InvalidInputError,
  type Issue,
  parseDuration,
  readPolicy,
  readUnique,
  SCHEDULE_DEFAULTS,
  type ScheduleSpec,
} from '@jetbeat/core';
import type { ScheduleRequest } from '@jetbeat/core/http';
import { collect } from '../requests/collect.ts';
import { readWhen } from './read-when.ts';

/**
 * Reads a schedule as it is written into what the scheduler works with, its defaults filled in. Whether it can fire is
 * another question: `validateSchedule`.
 * @throws InvalidInputError naming every wrong place
 */
export function readSchedule(request: ScheduleRequest): ScheduleSpec {
  const issues: Issue[] = [];
  const { name, job, overlap, catchUpWindow, pauseAfterFailures, labels } = request;
  const { task, input, queue, priority, meta } = job;
  const read = readPolicy(job, '/job');
  issues.push(...read.issues);
  const unique = readUnique({ uniqueKey: job.uniqueKey }, issues, '/job');
  const times = readWhen(request, issues);
  const window =
    catchUpWindow === undefined
      ? undefined
      : collect(issues, () => parseDuration(catchUpWindow, '/catchUpWindow'));
  const catchUp = collect(issues, () => readCatchUp(request.catchUp));
  if (issues.length > 0) throw new InvalidInputError(describeIssues(issues), issues);
  return {
    name,
    ...times,
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
    ...(pauseAfterFailures === undefined ? {} : { pauseAfterFailures }),
    ...(labels === undefined ? {} : { labels }),
  };
}

function readCatchUp(catchUp: ScheduleRequest['catchUp']): CatchUp | undefined {
  if (typeof catchUp !== 'object') return catchUp;
  const { all, spread } = catchUp;
  return spread === undefined ? { all } : { all, spread: parseDuration(spread, '/catchUp/spread') };
}
