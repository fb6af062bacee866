import { placeOf, type ScheduleSpec, type Settings } from '@jetbeat/core';
import type { Warning } from '@jetbeat/core/http';
import { type Database, type ScheduleScope, unplacedTasks } from '@jetbeat/postgres';
import { type Fleet, warningsFor } from '../fleet/fleet.ts';
import { scheduleNotFound } from '../schedules/schedule-not-found.ts';
import { maySeeQueue, type Scoped } from './caller.ts';
import { checkScope } from './check-scope.ts';
import { fleetSeenBy } from './sees-task.ts';

type Timed = { readonly definition: ScheduleSpec };

/** The queue into which a schedule puts its jobs now; undefined for a definition that cannot be read. */
function queueOfSchedule(
  { definition }: Timed,
  settings: Settings,
  { tasks }: Pick<Fleet, 'tasks'>,
): string | undefined {
  // Somebody may have written nonsense in plain SQL.
  const { task, queue } = (definition.job ?? {}) as Partial<ScheduleSpec['job']>;
  if (typeof task !== 'string' || (queue !== undefined && typeof queue !== 'string')) return undefined;
  return placeOf(queue === undefined ? {} : { queue }, settings.of(task), tasks.get(task)).queue;
}

/** What is needed to know where a schedule leads. */
export interface ScheduleView {
  readonly caller: Scoped;
  readonly settings: Settings;
  readonly fleet: Fleet;
}

/** Whether a caller sees a schedule: by the queue into which it puts its jobs now. */
export function seesSchedule(schedule: Timed, { caller, settings, fleet }: ScheduleView): boolean {
  if (caller.queues === undefined) return true;
  const queue = queueOfSchedule(schedule, settings, fleet);
  return queue !== undefined && maySeeQueue(caller, queue);
}

/**
 * Looks at a schedule that is locked: it may have been moved since the request was let in.
 * @throws ApiError schedule_not_found
 */
export function stillSees(view: ScheduleView): (schedule: Timed & { readonly name: string }) => void {
  return (schedule) => {
    if (!seesSchedule(schedule, view)) throw scheduleNotFound(schedule.name);
  };
}

/**
 * Refuses runs that would bring a job into a queue that is not the caller's, by what the schedule says of their end.
 * @throws ApiError queue_not_allowed
 */
export function checkRunScope({ definition }: Timed, { caller, settings, fleet }: ScheduleView): void {
  checkScope(caller, definition.job, { settings, fleet, pointer: '/job' });
}

/** What a caller should know when nobody takes the jobs of a schedule from their queue now. */
export function scheduleWarnings(schedule: Timed, { caller, settings, fleet }: ScheduleView): Warning[] {
  const queue = queueOfSchedule(schedule, settings, fleet);
  if (queue === undefined) return [];
  return warningsFor(fleetSeenBy(caller, fleet), { task: schedule.definition.job.task, queue });
}

/** Which schedules a caller sees, for a list. Undefined: all. */
export async function scheduleScope(
  { queues }: Scoped,
  parts: { readonly db: Database; readonly settings: Settings; readonly fleet: () => Promise<Fleet> },
): Promise<ScheduleScope | undefined> {
  if (queues === undefined) return undefined;
  const { settings } = parts;
  const [{ tasks: known }, unplaced] = await Promise.all([parts.fleet(), unplacedTasks(parts.db)]);
  const tasks = unplaced.filter((task) =>
    queues.includes(placeOf({}, settings.of(task), known.get(task)).queue),
  );
  return { queues, tasks };
}
