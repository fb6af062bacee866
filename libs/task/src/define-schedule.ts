import {
  checkName,
  describeIssues,
  InvalidInputError,
  SCHEDULE_FIELDS,
  type TaskRef,
  unknownFields,
} from '@jetbeat/core';
import type { ScheduleRequest } from '@jetbeat/core/http';

/** What an author says of a schedule; what is left out comes from the defaults. Durations and times are texts, as in JSON. */
export interface ScheduleDefinition<Input> extends Omit<ScheduleRequest, 'name' | 'job'> {
  /** What each of its jobs is given. */
  readonly input: Input;
  /** What else `POST /jobs` takes of a job: queue, priority, retry, timeout, expires, keys, callbacks, meta. */
  readonly job?: Omit<ScheduleRequest['job'], 'task' | 'input'>;
}

/** A defined schedule: the body of `POST` and `PUT /schedules`. */
export type DefinedSchedule = Readonly<ScheduleRequest>;

const FIELDS = ['input', ...SCHEDULE_FIELDS.filter((field) => field !== 'name')];

/**
 * Defines a schedule of a task. It makes nothing by itself: `schedules.put` of `@jetbeat/client/http` puts it where it holds, as often
 * as one likes.
 * @throws InvalidInputError for a wrong name, or a field that is not known; the rest is checked where it is put
 */
export function defineSchedule<Input>(
  name: string,
  task: TaskRef<Input>,
  definition: ScheduleDefinition<Input>,
): DefinedSchedule {
  checkName('schedule', name, '/name');
  const issues = unknownFields(definition, FIELDS);
  if (issues.length > 0) throw new InvalidInputError(describeIssues(issues), issues);
  const { input, job, ...rest } = definition;
  return Object.freeze({ name, ...rest, job: { ...job, task: task.name, input } });
}
