import { isName } from '@jetbeat/core';
import type { TaskAnswer } from '@jetbeat/core/http';
import { getTaskLimits, type TaskLimitsRecord } from '@jetbeat/postgres';
import Type from 'typebox';
import type { Scoped } from '../access/caller.ts';
import { fleetSeenBy } from '../access/sees-task.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { type Fleet, taskMeant } from './fleet.ts';
import { taskJson } from './task-json.ts';

/** The path of one task. What may not name a task names none, and is answered so. */
export const TASK_PARAMS = Type.Object({
  task: Type.String({ maxLength: 512, description: 'Name of the task.' }),
});

/**
 * The task as a caller sees it.
 * @param changed what was just said of it
 * @throws ApiError task_not_found when nothing is known of it: no worker has served it, and nothing was said
 */
export async function showTask(
  parts: Parts,
  name: string,
  caller: Scoped,
  changed?: TaskLimitsRecord,
): Promise<TaskAnswer> {
  const { db, settings } = parts;
  if (!isName('task', name)) throw taskNotFound(name);
  const limits = changed ?? (await getTaskLimits(db, name));
  const fleet = fleetSeenBy(caller, await parts.fleet());
  if (!fleet.tasks.has(name) && !limits) throw taskNotFound(name, fleet);
  return taskJson(name, { limits, fleet, settings, caller });
}

/** The error for a task that is not there. @param fleet as its caller sees it, to say what was probably meant */
export function taskNotFound(name: string, fleet?: Fleet): ApiError {
  const meant = fleet && taskMeant(name, fleet);
  const hint = meant === undefined ? '' : `, did you mean "${meant}"?`;
  return new ApiError(
    'task_not_found',
    `no worker has served a task named ${JSON.stringify(name.slice(0, 128))} yet${hint}`,
  );
}
